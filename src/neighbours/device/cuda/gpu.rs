//! A GPU, set up once: its driver, its kernels, or the words of why not.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use cudarc::driver::{CudaContext, CudaFunction, CudaStream, DriverError, sys};
use cudarc::nvrtc::Ptx;

use crate::neighbours::device::machine::Fault;

/// The kernels as text, compiled from `kernels.cu` by `.ci/ptx`.
const PTX: &str = include_str!("kernels.ptx");

/// What the text asks of the driver: CUDA 12.0, tensor cores with bf16.
const OLDEST_DRIVER: i32 = 12_000;
const OLDEST_CAPABILITY: (i32, i32) = (8, 0);

/// A GPU with its kernels.
pub(in crate::neighbours::device) struct Gpu {
    pub(super) context: Arc<CudaContext>,
    pub(super) stream: Arc<CudaStream>,
    pub(super) kernels: Kernels,
    pub(super) number: usize,
}

/// The entry points of `kernels.cu`.
pub(super) struct Kernels {
    pub(super) column_means: CudaFunction,
    pub(super) largest_deviation: CudaFunction,
    pub(super) round_rows: CudaFunction,
    pub(super) visit: CudaFunction,
    pub(super) prune: CudaFunction,
    pub(super) judge: CudaFunction,
    pub(super) verdicts: CudaFunction,
    pub(super) scan: CudaFunction,
    pub(super) split_rows: CudaFunction,
    pub(super) place: CudaFunction,
    pub(super) decide: CudaFunction,
}

impl Gpu {
    fn new(number: usize) -> Result<Self, Fault> {
        refuse_number(number, driver()?)?;
        let context = CudaContext::new(number)?;
        refuse_capability(context.compute_capability()?)?;
        let module = context.load_module(Ptx::from_src(PTX))?;
        let load = |name| module.load_function(name);
        let kernels = Kernels {
            column_means: load("column_means")?,
            largest_deviation: load("largest_deviation")?,
            round_rows: load("round_rows")?,
            visit: load("visit")?,
            prune: load("prune")?,
            judge: load("judge")?,
            verdicts: load("verdicts")?,
            scan: load("scan")?,
            split_rows: load("split_rows")?,
            place: load("place")?,
            decide: load("decide")?,
        };
        Ok(Self {
            stream: context.default_stream(),
            context,
            kernels,
            number,
        })
    }
}

impl From<DriverError> for Fault {
    fn from(error: DriverError) -> Self {
        let words = match error.error_string() {
            Ok(words) => words.to_string_lossy().into_owned(),
            Err(_) => format!("{:?}", error.0),
        };
        Self(format!("the CUDA driver says: {words}"))
    }
}

/// The number of GPUs that the driver knows.
pub(super) fn driver() -> Result<usize, Fault> {
    // SAFETY: opens the driver's library if there is one, which any program may.
    #[allow(unsafe_code)]
    let present = unsafe { sys::is_culib_present() };
    if !present {
        return Err(Fault("no NVIDIA driver (libcuda) was found".into()));
    }
    let mut version = 0;
    // SAFETY: the library is there, and the place to write to outlives the call.
    #[allow(unsafe_code)]
    unsafe { sys::cuDriverGetVersion(&raw mut version) }.result()?;
    refuse_version(version)?;
    Ok(usize::try_from(CudaContext::device_count()?).unwrap_or(0))
}

/// A driver that does not read the kernels.
pub(super) fn refuse_version(version: i32) -> Result<(), Fault> {
    if version >= OLDEST_DRIVER {
        return Ok(());
    }
    let (major, minor) = (version / 1000, version % 1000 / 10);
    Err(Fault(format!(
        "the NVIDIA driver speaks CUDA {major}.{minor}, and 12.0 is needed"
    )))
}

/// A number beyond those that the driver gives.
pub(super) fn refuse_number(number: usize, count: usize) -> Result<(), Fault> {
    if number < count {
        return Ok(());
    }
    let known = match count {
        0 => "the driver knows no GPU".into(),
        1 => "the driver knows one GPU, cuda:0".into(),
        _ => format!(
            "the driver knows {count} GPUs, cuda:0 to cuda:{}",
            count - 1
        ),
    };
    Err(Fault(format!("there is no cuda:{number}: {known}")))
}

/// A GPU that cannot multiply bf16.
pub(super) fn refuse_capability(capability: (i32, i32)) -> Result<(), Fault> {
    if capability >= OLDEST_CAPABILITY {
        return Ok(());
    }
    let (major, minor) = capability;
    Err(Fault(format!(
        "compute capability {major}.{minor}, and bf16 products need 8.0"
    )))
}

/// The GPU of this number, set up when it is first asked for.
pub(in crate::neighbours::device) fn gpu(number: usize) -> Result<Arc<Gpu>, Fault> {
    static READY: Mutex<BTreeMap<usize, Arc<Gpu>>> = Mutex::new(BTreeMap::new());
    let mut ready = READY.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(gpu) = ready.get(&number) {
        return Ok(Arc::clone(gpu));
    }
    let gpu = Arc::new(Gpu::new(number)?);
    ready.insert(number, Arc::clone(&gpu));
    Ok(gpu)
}
