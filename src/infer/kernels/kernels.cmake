# NBQ_KERNELS: the sources of the rows of kernels.def that this processor's builds have, each compiled for its
# instruction set alone; isa.cc chooses one when a model is loaded.
function(nbq_kernels name)
  set(source ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/${name}.cc)
  set(NBQ_KERNELS ${NBQ_KERNELS} ${source} PARENT_SCOPE)
  # Strides stay addressing modes; GCC's own intrinsics look uninitialised to it (bug 105593).
  set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS
    "${ARGN};$<$<CXX_COMPILER_ID:GNU>:-fno-ivopts;-Wno-maybe-uninitialized;-Wno-uninitialized>")
endfunction()

nbq_kernels(portable)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  set(avx512 -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512vnni)
  nbq_kernels(amx ${avx512} -mamx-tile -mamx-int8)
  nbq_kernels(avx512vnni ${avx512})
  nbq_kernels(avx2 -mavx2)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64|ARM64")
  # GCC would load all pixels of a tile before their products, into more registers than there are.
  set(neon $<$<CXX_COMPILER_ID:GNU>:-fno-schedule-insns>)
  nbq_kernels(neondot -march=armv8.2-a+dotprod ${neon})
  nbq_kernels(neon ${neon})
endif()
