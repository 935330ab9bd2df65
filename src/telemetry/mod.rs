//! Where log lines go, and how they look; what is counted. What a line may hold is in `docs/LOGGING.md`.

pub mod gauges;
pub mod metrics;

use std::io;
use std::panic;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Sends log lines to the standard error stream from here on, and makes a panic one line that tells its place
/// and nothing of what it said: that could quote a resource.
///
/// `RUST_LOG` takes precedence over `level`, which is `error`, `warn`, `info`, `debug` or `trace`.
pub fn start(format: Format, level: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(quiet(level)));
    // Another part of the process may have set one already; its lines are as good.
    let _ = tracing::subscriber::set_global_default(subscriber(format, filter, io::stderr));
    panic::set_hook(Box::new(|info| {
        let place = info.location().map_or_else(|| "?".to_owned(), ToString::to_string);
        tracing::error!(place, "panic");
    }));
}

/// Builds what [`start`] installs, with another place for the lines.
pub fn subscriber<W>(
    format: Format,
    filter: EnvFilter,
    writer: W,
) -> Box<dyn tracing::Subscriber + Send + Sync>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer).with_target(false);
    match format {
        Format::Text => Box::new(builder.with_ansi(false).finish()),
        Format::Json => Box::new(builder.json().flatten_event(true).finish()),
    }
}

/// Below `debug`, libraries only warn: some would write addresses with parameters.
fn quiet(level: &str) -> String {
    format!("warn,referral_gateway={level}")
}
