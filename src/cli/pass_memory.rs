//! The flag for the memory of a pass through a model.

use clap::Args;
use repgeo::memory::machine_memory;

use super::search::size;

/// How much a pass may hold.
#[derive(Args)]
pub struct PassMemoryArgs {
    /// Memory of the pass beside the mapped checkpoint, e.g. 4G [default: what the machine, its
    /// cgroup or ulimit -v allows]
    #[arg(long, value_name = "SIZE", value_parser = size)]
    max_memory: Option<u64>,
}

impl PassMemoryArgs {
    /// Bytes, if the machine says how many it has.
    pub fn limit(&self) -> Option<u64> {
        self.max_memory.or_else(machine_memory)
    }
}
