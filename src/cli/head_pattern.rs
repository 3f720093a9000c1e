//! `repgeo head-pattern`: where the heads look.

use std::path::PathBuf;

use clap::Args;
use repgeo::Result;
use repgeo::mechanisms::Positions;
use repgeo::mechanisms::patterns::{PatternOptions, head_pattern};
use repgeo::report::Report;

use super::choice::choice;
use super::output::{OutputArgs, input_name};
use super::progress::Bar;
use super::prompts::{GroupArgs, PromptArgs};

/// Mean attention of every head, and heads ranked by their attention to the attribute
#[derive(Args)]
pub struct HeadPatternArgs {
    /// Dump with blocks.L.attn.hook_pattern: [N, H, T, T], or [N, H, T] of the last query
    #[arg(value_name = "ACTS")]
    input: PathBuf,

    #[command(flatten)]
    prompts: PromptArgs,

    #[command(flatten)]
    groups: GroupArgs,

    /// Whose attention: the last token's, that of every slot, or of every position
    #[arg(long, value_parser = choice::<Positions>(), value_name = "WHERE",
        default_value = Positions::default().flag())]
    query: Positions,

    #[command(flatten)]
    output: OutputArgs,
}

/// Averages and reports.
pub fn run(args: HeadPatternArgs) -> Result<()> {
    args.output.check()?;
    let dump = args.prompts.dump(&args.input)?;
    let options = PatternOptions {
        queries: args.query,
        groups: args.groups.groups(dump.n)?,
    };
    let progress = Bar::new(args.output.quiet);
    let report = head_pattern(&dump, &options, &progress)?;
    let input = vec![input_name(&args.input)];
    args.output
        .write(&Report::new("head-pattern", input, &report))
}
