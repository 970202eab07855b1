//! Owns how one metric is written down: its description, its kind, its value. Knows no name.

use std::fmt;

use prometheus_client::encoding::{DescriptorEncoder, EncodeGaugeValue, GaugeValueEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;

use super::{Count, Histogram, Switch};

/// The text that is being written.
pub(crate) struct Page<'a>(DescriptorEncoder<'a>);

/// What tells the samples of one name apart.
pub(crate) type Labels = Vec<(&'static str, String)>;

/// A value that only grows.
pub(crate) trait Total {
    fn total(&self) -> u64;
}

impl Total for Count {
    fn total(&self) -> u64 {
        self.sum()
    }
}

impl Total for u64 {
    fn total(&self) -> u64 {
        *self
    }
}

impl EncodeGaugeValue for Switch {
    fn encode(&self, encoder: &mut GaugeValueEncoder<'_>) -> fmt::Result {
        EncodeGaugeValue::encode(&u32::from(self.0), encoder)
    }
}

impl<'a> Page<'a> {
    pub(crate) fn new(encoder: DescriptorEncoder<'a>) -> Self {
        Self(encoder)
    }

    pub(crate) fn gauge(&mut self, name: &str, help: &str, value: &impl EncodeGaugeValue) -> fmt::Result {
        self.0.encode_descriptor(name, help, None, MetricType::Gauge)?.encode_gauge(value)
    }

    /// The name goes without `_total`, which the format appends.
    pub(crate) fn counter(&mut self, name: &str, help: &str, value: &impl Total) -> fmt::Result {
        let mut encoder = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        encoder.encode_counter::<NoLabelSet, _, u64>(&value.total(), None)
    }

    /// One sample for each row.
    pub(crate) fn gauges<V: EncodeGaugeValue>(
        &mut self,
        name: &str,
        help: &str,
        rows: impl Iterator<Item = (Labels, V)>,
    ) -> fmt::Result {
        let mut encoder = self.0.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for (labels, value) in rows {
            encoder.encode_family(&labels)?.encode_gauge(&value)?;
        }
        Ok(())
    }

    /// One sample for each row; the name goes without `_total`, which the format appends.
    pub(crate) fn counters(
        &mut self,
        name: &str,
        help: &str,
        rows: impl Iterator<Item = (Labels, u64)>,
    ) -> fmt::Result {
        let mut encoder = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (labels, total) in rows {
            encoder.encode_family(&labels)?.encode_counter::<NoLabelSet, _, u64>(&total, None)?;
        }
        Ok(())
    }

    pub(crate) fn histogram(&mut self, name: &str, help: &str, value: &Histogram) -> fmt::Result {
        let (sum, buckets) = value.read();
        // Of the same reading: a count that does not match its buckets is no histogram.
        let count = buckets.iter().map(|(_, count)| count).sum();
        let mut encoder = self.0.encode_descriptor(name, help, None, MetricType::Histogram)?;
        encoder.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)
    }

    /// The name goes without `_info`, which the format appends.
    pub(crate) fn info(&mut self, name: &str, help: &str, labels: &[(&str, &str)]) -> fmt::Result {
        self.0.encode_descriptor(name, help, None, MetricType::Info)?.encode_info(&labels)
    }
}
