"""The engines that bench/cpu measures: nbq through its C interface, OpenVINO and ONNX Runtime at their best settings.

Each engine is made for one model file, batch and number of threads. run() computes the logits of the images it was
made with; logits() gives the last ones, batch x outputs.
"""
import ctypes

import numpy as np


class NbqOptions(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_uint32), ("threads", ctypes.c_int32), ("max_batch", ctypes.c_int32),
                ("contexts", ctypes.c_int32), ("isa", ctypes.c_char_p)]


class NbqInfo(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_uint32), ("channels", ctypes.c_int32), ("height", ctypes.c_int32),
                ("width", ctypes.c_int32), ("outputs", ctypes.c_int32), ("logit_exp", ctypes.c_int32),
                ("max_batch", ctypes.c_int32), ("threads", ctypes.c_int32), ("weight_bytes", ctypes.c_uint64),
                ("arena_bytes", ctypes.c_uint64), ("isa", ctypes.c_char_p)]


def load_nbq_library(path):
    """libnbq.so with the types of include/nbq/nbq.h that are used here."""
    lib = ctypes.CDLL(str(path))
    lib.nbq_options_init.argtypes = [ctypes.POINTER(NbqOptions)]
    lib.nbq_options_init.restype = None
    lib.nbq_model_load.argtypes = [ctypes.c_char_p, ctypes.POINTER(NbqOptions), ctypes.POINTER(ctypes.c_void_p)]
    lib.nbq_model_free.argtypes = [ctypes.c_void_p]
    lib.nbq_model_free.restype = None
    lib.nbq_model_info.argtypes = [ctypes.c_void_p, ctypes.POINTER(NbqInfo)]
    lib.nbq_model_run.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int32, ctypes.c_void_p,
                                  ctypes.c_size_t]
    lib.nbq_last_error.argtypes = []
    lib.nbq_last_error.restype = ctypes.c_char_p
    return lib


class Nbq:
    def __init__(self, lib, model, pixels, threads):
        self.lib, self.pixels, self.model = lib, pixels, ctypes.c_void_p()
        options = NbqOptions(struct_size=ctypes.sizeof(NbqOptions))
        lib.nbq_options_init(options)
        options.threads, options.max_batch = threads, len(pixels)
        self._check(lib.nbq_model_load(str(model).encode(), options, self.model))
        info = NbqInfo(struct_size=ctypes.sizeof(NbqInfo))
        self._check(lib.nbq_model_info(self.model, info))
        self.isa = (info.isa or b"?").decode()
        self.weight_bytes = info.weight_bytes
        self.scale = 2.0 ** info.logit_exp
        self.out = np.zeros((len(pixels), info.outputs), np.int64)
        self.arguments = (self.model, pixels.ctypes.data, pixels.nbytes, len(pixels), self.out.ctypes.data,
                          self.out.size)

    def _check(self, status):
        if status != 0:
            raise RuntimeError((self.lib.nbq_last_error() or b"unknown error").decode())

    def run(self):
        status = self.lib.nbq_model_run(*self.arguments)
        if status != 0:
            self._check(status)

    def logits(self):
        return self.out * self.scale

    def __del__(self):
        if getattr(self, "model", None):
            self.lib.nbq_model_free(self.model)


class OpenVino:
    """Static shapes, tensors bound before, one stream for one request: the least latency."""

    def __init__(self, model, pixels, threads, precision):
        import openvino
        core = openvino.Core()
        net = core.read_model(model)
        net.reshape(list(pixels.shape))
        compiled = core.compile_model(net, "CPU", {
            "PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": precision})
        self.request = compiled.create_infer_request()
        self.request.set_input_tensor(openvino.Tensor(pixels, shared_memory=True))
        self.pixels = pixels

    def run(self):
        self.request.infer(share_outputs=True)

    def logits(self):
        return self.request.get_output_tensor().data.astype(np.float64)


class OnnxRuntime:
    """Static shapes, all graph optimisations, bound tensors. Threads don't spin after a run: other engines come next."""

    def __init__(self, model, pixels, threads):
        import onnxruntime
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.add_free_dimension_override_by_name("N", len(pixels))
        options.add_session_config_entry("session.force_spinning_stop", "1")
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        outputs = self.session.get_outputs()[0].shape[1]
        self.out = onnxruntime.OrtValue.ortvalue_from_numpy(np.zeros((len(pixels), outputs), np.float32))
        self.binding = self.session.io_binding()
        self.binding.bind_ortvalue_input("image", onnxruntime.OrtValue.ortvalue_from_numpy(pixels))
        self.binding.bind_ortvalue_output("logits", self.out)

    def run(self):
        self.session.run_with_iobinding(self.binding)

    def logits(self):
        return self.out.numpy().astype(np.float64)
