# nbq_library(NAME SOURCES... DEPS... [EMBEDDED]): one folder, one static library, warnings as errors.
# EMBEDDED: it also lies inside libnbq.so, so no symbol of it is seen from outside.
function(nbq_warnings target)
  set(flags -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Werror)
  if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
    list(APPEND flags -Wno-restrict)  # false alarm in std::string, GCC bug 105329
  endif()
  target_compile_options(${target} PRIVATE "$<$<COMPILE_LANGUAGE:CXX>:${flags}>")
endfunction()

function(nbq_library name)
  cmake_parse_arguments(ARG "EMBEDDED" "" "SOURCES;DEPS;PRIVATE_DEPS;SYSTEM_INCLUDES" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/spec)
  target_include_directories(${name} SYSTEM PRIVATE ${ARG_SYSTEM_INCLUDES})
  target_link_libraries(${name} PUBLIC ${ARG_DEPS} PRIVATE ${ARG_PRIVATE_DEPS})
  if(ARG_EMBEDDED)
    set_target_properties(${name} PROPERTIES CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  endif()
  nbq_warnings(${name})
endfunction()

# nbq_test(NAME SOURCES... DEPS... [LABELS slow|tools]): a GoogleTest program, each case a ctest entry.
function(nbq_test name)
  cmake_parse_arguments(ARG "" "LABELS" "SOURCES;DEPS" ${ARGN})
  # The sanitizers' tree has no tests that mostly wait for other programs.
  if(NOT NBQ_TESTS OR (NBQ_FUZZ AND ARG_LABELS))
    return()
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/spec
                             ${PROJECT_SOURCE_DIR}/tests)
  target_compile_definitions(${name} PRIVATE NBQ_SOURCE_DIR="${PROJECT_SOURCE_DIR}"
                             NBQ_BINARY_DIR="${PROJECT_BINARY_DIR}")
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} GTest::gtest GTest::gmock GTest::gtest_main)
  target_compile_options(${name} PRIVATE $<$<CONFIG:Release>:-O1>)  # half the time to compile, hardly more to run
  nbq_warnings(${name})
  set(timeout 600)
  if("${ARG_LABELS}" STREQUAL slow)
    set(timeout 3600)
  endif()
  set(properties TIMEOUT ${timeout})
  if(ARG_LABELS)
    list(APPEND properties LABELS ${ARG_LABELS})
  endif()
  gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60 PROPERTIES ${properties})
endfunction()
