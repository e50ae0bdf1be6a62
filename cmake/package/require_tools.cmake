# Before anything is packed: the programs that CPack asks about libraries, and without which it ends
# in words about itself.
foreach(tool IN ITEMS file dpkg-shlibdeps)
  find_program(found_${tool} ${tool})
  if(NOT found_${tool})
    message(FATAL_ERROR "A .deb can not be made without ${tool}: apt-get install file dpkg-dev")
  endif()
endforeach()
