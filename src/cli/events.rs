//! `repgeo events`, and the flags about events that other commands share.

use std::path::PathBuf;

use clap::Args;
use repgeo::Result;
use repgeo::input::{Series, SeriesChoice};
use repgeo::profile::events::EventsReport;
use repgeo::profile::events::{EventOptions, events_with_parts};
use repgeo::report::{Report, read_series};

use super::output::{OutputArgs, input_name};

/// Where any profile peaks, rises, falls, dips and turns
///
/// Reads a JSON report or CSV of repgeo, or any CSV with a row per layer. Every event carries its
/// rule; one that is not there is null with a reason.
#[derive(Args)]
pub struct EventsArgs {
    /// Report or tidy CSV of repgeo, any CSV with a header, or - for stdin
    #[arg(value_name = "PROFILE")]
    input: PathBuf,

    #[command(flatten)]
    series: SeriesArgs,

    #[command(flatten)]
    events: EventArgs,

    /// Look for the first layer above this value
    #[arg(long, value_name = "Y", allow_negative_numbers = true)]
    threshold: Option<f64>,

    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Args)]
#[command(next_help_heading = "Series")]
struct SeriesArgs {
    /// Quantity of a report, e.g. id [default: its first]
    #[arg(long, value_name = "NAME")]
    quantity: Option<String>,

    /// How it was computed, e.g. two_nn_base [default: the first]
    #[arg(long, value_name = "NAME")]
    variant: Option<String>,

    /// Neighbour order or number of neighbours, where a report holds several
    #[arg(long, value_name = "N")]
    scale: Option<usize>,

    /// Second layer or label column, where a report holds several
    #[arg(long, value_name = "NAME")]
    other: Option<String>,

    /// The run, where a CSV is over several
    #[arg(long, value_name = "NAME", conflicts_with = "layer")]
    run: Option<String>,

    /// Follow this layer over the runs of a CSV: its events are runs
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    layer: Option<String>,

    /// Column of values of any other CSV
    #[arg(long, value_name = "NAME", conflicts_with_all = ["quantity", "variant", "scale", "other", "run", "layer"])]
    column: Option<String>,

    /// Column of the standard errors in any other CSV [default: that of the values with _std_error
    /// behind its name, or std_error, if it is there]
    #[arg(long, value_name = "NAME")]
    std_error: Option<String>,

    /// Column of positions of any other CSV [default: x, if it is there]
    #[arg(long, value_name = "NAME")]
    x: Option<String>,
}

/// How events are sought.
#[derive(Args)]
#[command(next_help_heading = "Events")]
pub struct EventArgs {
    /// Average over M neighbouring layers first; M is odd
    #[arg(long, value_name = "M", default_value_t = 1)]
    smooth: usize,

    /// Share of the rise at which the onset is read
    #[arg(long, value_name = "F", default_value_t = 0.5)]
    onset_frac: f64,

    /// What a hump must rise above its surroundings
    #[arg(long, value_name = "P", default_value_t = 0.15)]
    prominence: f64,

    /// Layer between two humps, by name or index: where to look for a double hunchback
    #[arg(long, value_name = "LAYER", allow_hyphen_values = true)]
    bottleneck: Option<String>,

    /// Leave the first layer, an embedding, out of the events
    #[arg(long)]
    skip_first: bool,
}

impl EventArgs {
    /// The options for a profile of the layers of `series`.
    pub fn options(&self, series: &Series) -> Result<EventOptions> {
        let bottleneck = self.bottleneck.as_deref();
        let bottleneck = bottleneck.map(|text| series.find(text, "--bottleneck"));
        let options = EventOptions {
            smooth: self.smooth,
            onset_fraction: self.onset_frac,
            prominence: self.prominence,
            bottleneck: bottleneck.transpose()?,
            skip_first: self.skip_first,
            threshold: None,
        };
        options.check(series.len())?;
        Ok(options)
    }
}

/// Reads a series and reports its events.
pub fn run(args: EventsArgs) -> Result<()> {
    args.output.check()?;
    let choice = SeriesChoice {
        quantity: args.series.quantity,
        variant: args.series.variant,
        scale: args.series.scale,
        other: args.series.other,
        run: args.series.run,
        layer: args.series.layer,
        column: args.series.column,
        std_error: args.series.std_error,
        x: args.series.x,
    };
    let file = read_series(&args.input, &choice)?;
    let options = EventOptions {
        threshold: args.threshold,
        ..args.events.options(&file.series)?
    };
    options.check(file.series.len())?;
    let events = events_with_parts(&file.series, &file.parts, &options);
    let report = EventsReport::new(&file, events);
    args.output.write(&Report::new(
        "events",
        vec![input_name(&args.input)],
        &report,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        events: EventArgs,
    }

    fn series() -> Series {
        Series::new([("embed", Some(1.0)), ("probe", Some(2.0))])
    }

    #[test]
    fn no_flags_mean_the_defaults_of_the_library() {
        let options = Line::parse_from(["events"]).events.options(&series());
        assert_eq!(options.ok(), Some(EventOptions::default()));
    }

    #[test]
    fn a_bottleneck_is_a_name_or_an_index() {
        for (layer, index) in [("probe", Some(1)), ("1", Some(1)), ("2", None)] {
            let line = Line::parse_from(["events", "--bottleneck", layer]);
            let found = line.events.options(&series());
            assert_eq!(found.ok().and_then(|options| options.bottleneck), index);
        }
    }
}
