//! Runs the passes of an ablation, or replays them from a dump.

use super::everywhere::{add_all, read_all};
use super::plan::Run;
use super::shape::{AblateOptions, Ablation, Place, Replacement};
use crate::mechanisms::dump::StreamDump;
use crate::mechanisms::last_positions::last_positions;
use crate::mechanisms::model::{Checkpoint, Real};
use crate::mechanisms::prompts::Prompts;
use crate::mechanisms::tail::by_groups;
use crate::progress::Progress;
use crate::{Error, Result};

/// Replaces components at the last token of every example or at all tokens, each by its mean or by
/// zero, and reads the logits at the last.
///
/// A head is replaced before W_O (its z), the attention and the MLP in what they add to the residual
/// stream. What comes after it is computed anew, the scales of norms too; at the last token alone
/// that is the last token, since earlier ones cannot see it and stay what they are. Means are of the
/// unchanged model, over all examples at the tokens that are replaced, each token counted once, and
/// take a pass of their own.
///
/// # Errors
/// Components, tokens or targets that are not there; components that hold each other, replaced
/// together; the mean of one token, which would change nothing; [`Error::Memory`], before the work;
/// whatever reading the checkpoint can give.
pub fn ablate<T: Real>(
    checkpoint: &Checkpoint,
    prompts: &Prompts,
    options: &AblateOptions,
    progress: &dyn Progress,
) -> Result<Ablation> {
    let sequences = prompts.sequences.as_ref().ok_or_else(|| {
        Error::Usage("there are no tokens; give --tokens FILE with an [N, T] array of ids".into())
    })?;
    let n = sequences.len();
    let n_tokens = match options.at {
        Place::Last => n,
        Place::All => (0..n).map(|one| sequences.tokens(one).len()).sum(),
    };
    let (config, limit) = (&checkpoint.config, options.max_memory);
    let mut run = Run::<T>::new(checkpoint, prompts, [n, n_tokens], options, |changes| {
        changes.chunks(config, sequences, size_of::<T>(), limit)
    })?;
    let first = [run.tail.first_layer, run.at_once];
    let steps = (n * (checkpoint.config.n_layers + 1)) as u64;
    if options.with == Replacement::Mean {
        progress.begin("means of components", steps);
        match options.at {
            Place::Last => by_groups::<T>(checkpoint, sequences, first, progress, |last| {
                run.add(last);
                Ok(())
            })?,
            Place::All => add_all(&mut run, checkpoint, sequences, progress)?,
        }
        progress.end();
    }
    let changes = run.changes(n_tokens);
    let mut found = vec![Vec::new(); changes.len()];
    progress.begin("ablate", steps);
    match options.at {
        Place::Last => by_groups::<T>(checkpoint, sequences, first, progress, |last| {
            run.read(last, &changes, &mut found)
        })?,
        Place::All => {
            let found = &mut found[..];
            read_all(&run, checkpoint, sequences, &changes, found, progress)?;
        }
    }
    progress.end();
    Ok(run.finish(n, &changes, &found, false))
}

/// The same at the last token from a dump: keys, values and the residual stream before the first
/// replaced block stand in for the pass.
///
/// # Errors
/// As [`ablate`]; all tokens, which take a pass; tensors that the dump lacks.
pub fn ablate_replayed<T: Real>(
    checkpoint: &Checkpoint,
    dump: &StreamDump,
    options: &AblateOptions,
    progress: &dyn Progress,
) -> Result<Ablation> {
    if options.at == Place::All {
        return Err(Error::Usage(
            "--replay runs the last token alone; leave it out for --at all".into(),
        ));
    }
    let (config, limit) = (&checkpoint.config, options.max_memory);
    let mut run = Run::<T>::new(checkpoint, &dump.prompts, [dump.n; 2], options, |changes| {
        changes.check_replay(config, &dump.lengths, size_of::<T>(), limit)?;
        Ok(1)
    })?;
    let last = last_positions(dump, &checkpoint.config, run.tail.first_layer)?;
    progress.begin("ablate", 1);
    if options.with == Replacement::Mean {
        run.add(&last);
    }
    let changes = run.changes(dump.n);
    let mut found = vec![Vec::new(); changes.len()];
    run.read(&last, &changes, &mut found)?;
    progress.end();
    Ok(run.finish(dump.n, &changes, &found, true))
}
