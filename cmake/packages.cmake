# Why each is here: docs/decisions/0002-libraries.md
find_package(Threads REQUIRED)
find_package(MPI 3.1 REQUIRED COMPONENTS C)
find_package(OpenMP REQUIRED COMPONENTS CXX)  # to give oneDNN one thread a rank
find_package(OneDNN 2.6 REQUIRED)
find_package(hwy REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(SQLiteCpp REQUIRED)
set(HDF5_PREFER_PARALLEL OFF)
find_package(HDF5 REQUIRED COMPONENTS C)
find_package(tomlplusplus REQUIRED)
find_package(CLI11 REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(OpenSSL REQUIRED COMPONENTS Crypto)
find_package(PNG 1.6 REQUIRED)
find_package(JPEG REQUIRED)
find_package(ZLIB REQUIRED)
find_package(LibZip REQUIRED)
find_path(RANDOM123_INCLUDE_DIR Random123/philox.h REQUIRED)

add_library(lockstep_random123 INTERFACE)
target_include_directories(lockstep_random123 SYSTEM INTERFACE
  $<BUILD_INTERFACE:${RANDOM123_INCLUDE_DIR}>)

# MPI's C interface only: without these Open MPI 4 pulls in its C++ headers.
target_compile_definitions(MPI::MPI_C INTERFACE OMPI_SKIP_MPICXX MPICH_SKIP_MPICXX)
