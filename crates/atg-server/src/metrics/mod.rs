//! What the server counts. Each server has a recorder of its own; nothing is global.

mod azure;
mod http;
mod sample;
mod stores;
mod vocabulary;

use std::sync::Arc;

use anyhow::Context as _;
use metrics::{Key, Label, Level, Metadata, Recorder as _};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

pub(crate) use azure::MeteredAzure;
pub(crate) use http::measure;
pub(crate) use sample::exposition;
use vocabulary::Kind;
pub(crate) use vocabulary::{Metric, reference};

/// The bounds of the histograms: from a read of the store to a scan.
const BUCKETS_SECONDS: [f64; 12] = [
    0.001, 0.005, 0.025, 0.1, 0.25, 1.0, 2.5, 10.0, 60.0, 300.0, 1_200.0, 3_600.0,
];

const METADATA: Metadata<'static> = Metadata::new(module_path!(), Level::INFO, None);

/// Counts.
pub(crate) struct Meters {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
}

impl Meters {
    /// A recorder that knows the vocabulary. What has no labels is there from the start.
    pub(crate) fn new() -> anyhow::Result<Arc<Self>> {
        let builder = PrometheusBuilder::new().set_buckets(&BUCKETS_SECONDS);
        let recorder = builder.context("choosing the buckets of the metrics")?.build_recorder();
        let handle = recorder.handle();
        let meters = Self { recorder, handle };
        for metric in Metric::ALL.iter().copied() {
            let (name, unit, help) = (metric.name().into(), Some(metric.unit()), metric.help().into());
            match metric.kind() {
                Kind::Counter => meters.recorder.describe_counter(name, unit, help),
                Kind::Gauge => meters.recorder.describe_gauge(name, unit, help),
                Kind::Histogram => meters.recorder.describe_histogram(name, unit, help),
            }
            match metric.kind() {
                Kind::Counter if metric.labels().is_empty() => meters.add(metric, &[], 0),
                Kind::Gauge if metric.labels().is_empty() => meters.set(metric, &[], 0.0),
                Kind::Counter | Kind::Gauge | Kind::Histogram => {}
            }
        }
        meters.set(Metric::BuildInfo, &[env!("CARGO_PKG_VERSION")], 1.0);
        Ok(Arc::new(meters))
    }

    /// Adds to a counter.
    pub(crate) fn add(&self, metric: Metric, labels: &[&str], by: u64) {
        self.recorder
            .register_counter(&key(metric, labels), &METADATA)
            .increment(by);
    }

    /// Sets a gauge.
    pub(crate) fn set(&self, metric: Metric, labels: &[&str], value: f64) {
        self.recorder.register_gauge(&key(metric, labels), &METADATA).set(value);
    }

    /// Adds a duration to a histogram.
    pub(crate) fn took(&self, metric: Metric, labels: &[&str], duration: time::Duration) {
        let seconds = duration.as_seconds_f64();
        self.recorder
            .register_histogram(&key(metric, labels), &METADATA)
            .record(seconds);
    }

    /// Counts something as there, until what this answers is dropped.
    pub(crate) fn held(self: &Arc<Self>, metric: Metric) -> Held {
        self.recorder
            .register_gauge(&key(metric, &[]), &METADATA)
            .increment(1.0);
        Held(Arc::clone(self), metric)
    }

    /// Folds what was recorded into its buckets: without it, values that nobody asks for would pile up.
    pub(crate) fn fold(&self) {
        self.handle.run_upkeep();
    }
}

/// See [`Meters::held`].
pub(crate) struct Held(Arc<Meters>, Metric);

impl Drop for Held {
    fn drop(&mut self) {
        let gauge = self.0.recorder.register_gauge(&key(self.1, &[]), &METADATA);
        gauge.decrement(1.0);
    }
}

fn key(metric: Metric, values: &[&str]) -> Key {
    debug_assert_eq!(metric.labels().len(), values.len(), "{}", metric.name());
    let labels = metric.labels().iter().zip(values);
    let labels: Vec<_> = labels
        .map(|(name, value)| Label::new(*name, (*value).to_owned()))
        .collect();
    Key::from_parts(metric.name(), labels)
}
