//! NVIDIA GPUs, through the driver alone: looked for at run time, set up once.
//!
//! Nothing of CUDA is needed to build or to start. The driver's library is opened when a GPU is
//! asked for, and compiles the kernels from the text of `kernels.ptx`, which comes from
//! `kernels.cu`.

use std::sync::Arc;

use cudarc::driver::CudaContext;

pub(super) use self::gpu::gpu;
use self::gpu::{Gpu, driver};
use self::launch::TILE;
use self::machine::{Cuda, costs, parts};
use self::memory::Memory;
use super::Gpus;
use super::machine::{Aim, Costs, Fault, Opened, Room, Station};
use crate::neighbours::points::Points;

mod arguments;
mod counting;
mod gpu;
mod launch;
mod machine;
mod memory;
mod ranks;
mod rows;
#[cfg(test)]
mod tests;

impl Station for Gpu {
    fn name(&self) -> String {
        format!("cuda:{}", self.number)
    }

    fn free(&self) -> Result<u64, Fault> {
        self.context.bind_to_thread()?;
        let (free, _) = self.context.mem_get_info()?;
        Ok(free as u64)
    }

    fn tile(&self) -> usize {
        TILE
    }

    fn costs(&self, points: &Points<'_>, aim: Aim) -> Costs {
        costs(points, aim)
    }

    fn open<'a>(
        &'a self,
        points: &'a Points<'a>,
        room: Room,
        aim: Aim,
    ) -> Result<Opened<'a>, Fault> {
        let memory = Memory::new(self, points, room, parts(aim))?;
        let sender = memory.sender();
        Ok((Box::new(Cuda::new(memory)), sender))
    }
}

/// The GPUs of these numbers, ready.
pub(super) fn stations(gpus: Gpus) -> Result<Vec<Arc<dyn Station>>, Fault> {
    let one = |number| gpu(number).map(|gpu| gpu as Arc<dyn Station>);
    gpus.numbers().map(one).collect()
}

/// One line for each GPU.
pub(super) fn describe() -> Result<Vec<String>, Fault> {
    let one = |number| {
        let context = CudaContext::new(number)?;
        let (major, minor) = context.compute_capability()?;
        let (name, gib) = (context.name()?, context.total_mem()? >> 30);
        Ok(format!(
            "cuda:{number}: {name}, {gib} GiB, compute capability {major}.{minor}"
        ))
    };
    (0..driver()?).map(one).collect()
}
