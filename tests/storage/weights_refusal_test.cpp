// Files that must not be read as weights: refused in one line, without following or allocating.

#include <algorithm>
#include <cstring>
#include <string>

#include "storage/weights/hdf5.hpp"
#include "storage/weights/weights_file.hpp"
#include "tests/storage/sample_model.hpp"
#include "tests/storage/thrown.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_directory.hpp"

namespace lockstep::storage {
namespace {

namespace fs = std::filesystem;
using Kind = StorageError::Kind;
using tests::TemporaryDirectory;

// Refused as bad data with one line that mentions `word`.
void check_refused(const Bytes& bytes, std::string_view word) {
    const StorageError error = thrown_by([&] { parse_model_file(bytes, "weights.h5"); });
    CAPTURE(error.what());
    CHECK(error.kind() == Kind::bad_data);
    CHECK(mentions(error, "weights.h5: "));
    CHECK(mentions(error, word));
    CHECK_FALSE(mentions(error, "\n"));
}

// A file with one layer "dense" and one weight "kernel:0", which `make` puts into its group.
template <typename Make>
Bytes file_with_kernel(Make make) {
    const Hdf5Image image;
    write_attribute(image.root(), "layer_names", std::vector<std::string>{"dense"});
    const Hdf5Group layer = create_group(image.root(), "dense");
    write_attribute(layer.id(), "weight_names", std::vector<std::string>{"kernel:0"});
    make(layer.id());
    return image.bytes();
}

void create_data_set(hid_t group, hid_t type, const std::vector<hsize_t>& shape, hid_t properties) {
    const Hdf5Space space(H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr));
    const Hdf5DataSet data(
        H5Dcreate2(group, "kernel:0", type, space.id(), H5P_DEFAULT, properties, H5P_DEFAULT));
    REQUIRE(data.id() >= 0);
}

}  // namespace

TEST_CASE("weights: what is not HDF5 is said to be none", "[storage]") {
    const TemporaryDirectory folder;
    replace_file(folder / "image.png", "\x89PNG\r\n\x1a\n" + std::string(1000, 'x'));
    replace_file(folder / "empty", "");
    for (const fs::path& path :
         {folder / "image.png", folder / "empty", folder.path(), fs::path("/dev/null")}) {
        CAPTURE(path.string());
        CHECK(kind_thrown_by([&] { read_weights(path); }) == Kind::bad_data);
    }
    CHECK(kind_thrown_by([&] { read_weights(folder / "none"); }) == Kind::missing);
    const Hdf5Image nothing_in_it;
    check_refused(nothing_in_it.bytes(), "no Keras weights file");
}

TEST_CASE("weights: a file cut anywhere is refused or whole, never half", "[storage]") {
    const Bytes whole = model_file_bytes(sample_model(), sample_weights(), StateGroup{});
    for (const std::size_t size :
         {std::size_t{1}, std::size_t{8}, std::size_t{96}, whole.size() / 2, whole.size() - 1}) {
        CAPTURE(size);
        check_refused(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)), "");
    }
}

TEST_CASE("weights: links that lead elsewhere are not followed", "[storage]") {
    const std::string soft = GENERATE(as<std::string>{}, "soft", "external", "dangling");
    check_refused(file_with_kernel([&](hid_t group) {
                      if (soft == "external") {
                          H5Lcreate_external("/etc/other.h5", "/x", group, "kernel:0", H5P_DEFAULT,
                                             H5P_DEFAULT);
                      } else {
                          H5Lcreate_soft(soft == "soft" ? "/dense" : "/none", group, "kernel:0",
                                         H5P_DEFAULT, H5P_DEFAULT);
                      }
                  }),
                  "link");
}

TEST_CASE("weights: data sets that keep their values elsewhere are not read", "[storage]") {
    const Hdf5Properties properties(H5Pcreate(H5P_DATASET_CREATE));
    const Hdf5Silence silence;
    SECTION("external storage") {
        REQUIRE(H5Pset_external(properties.id(), "/etc/passwd", 0, 24) >= 0);
    }
    SECTION("a virtual data set") {
        const hsize_t shape[] = {2, 3};
        const Hdf5Space space(H5Screate_simple(2, shape, nullptr));
        REQUIRE(H5Pset_virtual(properties.id(), space.id(), "/etc/other.h5", "/x", space.id()) >=
                0);
    }
    check_refused(file_with_kernel([&](hid_t group) {
                      create_data_set(group, H5T_IEEE_F32LE, {2, 3}, properties.id());
                  }),
                  "another file");
}

TEST_CASE("weights: a shape without its values is refused before memory is asked for",
          "[storage]") {
    const Hdf5Properties chunked(H5Pcreate(H5P_DATASET_CREATE));
    const hsize_t chunk[] = {1024};
    REQUIRE(H5Pset_chunk(chunked.id(), 1, chunk) >= 0);
    const hsize_t terabytes = hsize_t{10} << 40;
    check_refused(file_with_kernel([&](hid_t group) {
                      create_data_set(group, H5T_IEEE_F32LE, {terabytes / 4}, chunked.id());
                  }),
                  "declares far more");
    check_refused(file_with_kernel([&](hid_t group) {
                      create_data_set(group, H5T_IEEE_F32LE, {2, 3}, H5P_DEFAULT);
                  }),
                  "declares far more");
    // One chunk of 4 KB behind a shape of 1 GB.
    check_refused(file_with_kernel([&](hid_t group) {
                      create_data_set(group, H5T_IEEE_F32LE, {hsize_t{1} << 28}, chunked.id());
                      const Hdf5DataSet data(H5Dopen2(group, "kernel:0", H5P_DEFAULT));
                      const Hdf5Space all(H5Dget_space(data.id()));
                      const hsize_t first = 0;
                      const hsize_t one = 1;
                      const Hdf5Space memory(H5Screate_simple(1, &one, nullptr));
                      H5Sselect_elements(all.id(), H5S_SELECT_SET, 1, &first);
                      const float value = 1.0F;
                      REQUIRE(H5Dwrite(data.id(), H5T_NATIVE_FLOAT, memory.id(), all.id(),
                                       H5P_DEFAULT, &value) >= 0);
                  }),
                  "declares far more");
}

TEST_CASE("weights: other kinds of content are named", "[storage]") {
    const Hdf5Silence silence;
    check_refused(file_with_kernel([](hid_t group) {
                      const std::vector<std::uint8_t> bytes(6);
                      write_bytes(group, "kernel:0", std::vector<std::int64_t>{2, 3}, bytes);
                  }),
                  "floating-point");
    check_refused(file_with_kernel([](hid_t group) { create_group(group, "kernel:0"); }),
                  "no data set");
    check_refused(file_with_kernel([](hid_t) {}), "missing");
}

TEST_CASE("weights: one flipped bit in a checksummed array is found", "[storage]") {
    const NamedArrays slot{{"dense", "kernel", {4}, {1.5F, 2.5F, 3.5F, 4.5F}}};
    Bytes bytes =
        model_file_bytes(sample_model(), {}, StateGroup{.values = {}, .arrays = {{"slot", slot}}});
    const auto values = std::as_bytes(std::span(slot[0].values));
    const auto at = std::search(bytes.begin(), bytes.end(), values.begin(), values.end());
    REQUIRE(at != bytes.end());
    *at ^= std::byte{1};
    check_refused(bytes, "damaged");
}

TEST_CASE("weights: a newer format of the state is refused", "[storage]") {
    const Hdf5Image image;
    write_attribute(image.root(), "layer_names", std::span<const std::string>());
    const Hdf5Group group = create_group(image.root(), "lockstep");
    write_attribute(group.id(), "format", std::int64_t{kStateFormat + 1});
    check_refused(image.bytes(), "format");
}

}  // namespace lockstep::storage
