# What `cmake --install` puts beside the program, and Debian packages of it (scripts/package).
# Components: program (nbq and what it reads), library (libnbq.so), development (to build over it).
set(data ${CMAKE_INSTALL_DATADIR}/nbq)
find_program(GZIP gzip REQUIRED)
if(NBQ_TRAIN)
  install(TARGETS nbq RUNTIME COMPONENT program)
  install(DIRECTORY rtl boards zoo DESTINATION ${data} COMPONENT program)

  # The program describes itself; each file is made by the program that it is installed with.
  set(reference ${PROJECT_BINARY_DIR}/reference)
  add_custom_command(OUTPUT ${reference}/nbq.1.gz ${reference}/nbq ${reference}/nbq.fish
    COMMAND ${CMAKE_COMMAND} -E make_directory ${reference}
    COMMAND nbq --generate man | ${GZIP} -9n > ${reference}/nbq.1.gz
    COMMAND nbq --generate bash > ${reference}/nbq
    COMMAND nbq --generate fish > ${reference}/nbq.fish
    DEPENDS nbq VERBATIM)
  add_custom_target(nbq_reference ALL
    DEPENDS ${reference}/nbq.1.gz ${reference}/nbq ${reference}/nbq.fish)
  install(FILES ${reference}/nbq.1.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT program)
  install(FILES ${reference}/nbq DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
    COMPONENT program)
  install(FILES ${reference}/nbq.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d
    COMPONENT program)
endif()

# Three packages, as Debian has them: a program linked with libnbq wants neither the trainer's
# libraries nor headers, and libraries of two ABIs may stand side by side.
set(CPACK_GENERATOR DEB)
set(NBQ_MAINTAINER "The nbq authors <nbq@invalid>" CACHE STRING
  "Who answers for the Debian packages: name <address>")
set(CPACK_PACKAGE_CONTACT ${NBQ_MAINTAINER})
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_ALL library development)
if(NBQ_TRAIN)
  list(APPEND CPACK_COMPONENTS_ALL program)
endif()
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
find_program(SHLIBDEPS dpkg-shlibdeps)
if(SHLIBDEPS)
  set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
  set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
endif()

set(CPACK_DEBIAN_PROGRAM_PACKAGE_NAME nbq)
set(CPACK_DEBIAN_PROGRAM_DESCRIPTION
  "The program: learning from recipes, ONNX import and export, C export, a CPU
 engine, and an accelerator with its simulation, synthesis and boards.")
# What `nbq sim`, `synth`, `energy` and `report` start.
set(CPACK_DEBIAN_PROGRAM_PACKAGE_RECOMMENDS "verilator, g++, make, yosys, gnuplot-nox | gnuplot")
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SUGGESTS opensta)

set(CPACK_DEBIAN_LIBRARY_PACKAGE_NAME libnbq${PROJECT_VERSION_MAJOR})
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_LIBRARY_DESCRIPTION
  "The shared library: runs integer networks on the CPU, through a C interface.")
file(WRITE ${PROJECT_BINARY_DIR}/triggers "activate-noawait ldconfig\n")
set(CPACK_DEBIAN_LIBRARY_PACKAGE_CONTROL_EXTRA ${PROJECT_BINARY_DIR}/triggers)

set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libnbq-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS
  "${CPACK_DEBIAN_LIBRARY_PACKAGE_NAME} (= ${PROJECT_VERSION})")
set(CPACK_DEBIAN_DEVELOPMENT_DESCRIPTION
  "The library's headers for C and C++, CMake and pkg-config files.")

# Debian's names of what tells the licence and the changes, in a folder for each package.
add_custom_command(OUTPUT ${PROJECT_BINARY_DIR}/changelog.gz
  COMMAND ${GZIP} -9nc ${PROJECT_SOURCE_DIR}/CHANGELOG.md > ${PROJECT_BINARY_DIR}/changelog.gz
  DEPENDS CHANGELOG.md VERBATIM)
add_custom_target(nbq_changelog ALL DEPENDS ${PROJECT_BINARY_DIR}/changelog.gz)
foreach(component ${CPACK_COMPONENTS_ALL})
  string(TOUPPER ${component} upper)
  set(doc ${CMAKE_INSTALL_DATADIR}/doc/${CPACK_DEBIAN_${upper}_PACKAGE_NAME})
  install(FILES cmake/copyright ${PROJECT_BINARY_DIR}/changelog.gz DESTINATION ${doc}
    COMPONENT ${component})
endforeach()
include(CPack)
if(TARGET install_program_test)
  add_dependencies(install_program_test nbq_reference nbq_changelog)
endif()
