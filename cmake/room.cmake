# lockstep_room(NAME SOURCES file... LINKS target...)
#
# A room is one static library, lockstep_NAME. It links the rooms and libraries named here and no
# others, so an arrow that the architecture forbids does not link.
function(lockstep_room name)
  cmake_parse_arguments(PARSE_ARGV 1 room "" "" "SOURCES;LINKS;PUBLIC_LINKS")
  add_library(lockstep_${name} STATIC ${room_SOURCES})
  add_library(lockstep::${name} ALIAS lockstep_${name})
  target_include_directories(lockstep_${name} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>)
  target_link_libraries(lockstep_${name} PUBLIC ${room_PUBLIC_LINKS}
                        PRIVATE ${room_LINKS} $<BUILD_INTERFACE:lockstep_warnings>)
endfunction()
