//! Traces: a span for each call, below the caller's own span if its metadata name one (W3C Trace Context),
//! sent by OTLP if an endpoint is given.

use std::collections::HashMap;

use anyhow::Context as _;
use http::HeaderMap;
use opentelemetry::{
    propagation::{Extractor, TextMapPropagator},
    trace::TracerProvider,
};
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::{
    Resource,
    propagation::TraceContextPropagator,
    trace::{SdkTracerProvider, Tracer},
};
use tracing::{Span, field, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use uuid::Uuid;

/// Name of this service in traces.
const SERVICE: &str = "user-import";

/// Exports traces. Ends with the spans that are not sent yet.
#[derive(Debug)]
pub(crate) struct TraceExporter(SdkTracerProvider);

impl TraceExporter {
    /// Sends traces to an OTLP collector, such as `http://127.0.0.1:4317`, over gRPC. Needs a runtime.
    ///
    /// # Errors
    /// Fails if `endpoint` is no URL.
    pub(crate) fn to(endpoint: &str) -> anyhow::Result<Self> {
        let exporter = SpanExporter::builder()
            .with_tonic()
            .with_endpoint(endpoint)
            .build()
            .context("traces cannot be sent; see --otlp-endpoint")?;
        let resource = Resource::builder().with_service_name(SERVICE).build();
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(resource)
            .build();
        Ok(Self(provider))
    }

    /// Returns the tracer that makes spans.
    #[must_use]
    pub(crate) fn tracer(&self) -> Tracer {
        self.0.tracer(SERVICE)
    }

    /// Sends the spans that are not sent yet.
    pub(crate) fn finish(&self) {
        if let Err(error) = self.0.shutdown() {
            tracing::warn!(%error, "the last traces could not be sent");
        }
    }
}

/// The span of a call: its method, and a request ID that its log lines have too. It contains nothing that
/// the caller sends except the ID of the trace that it belongs to.
#[must_use]
pub(crate) fn call_span(method: &'static str, headers: &HeaderMap, request_id: Uuid) -> Span {
    let span = info_span!(
        "call",
        otel.name = method,
        otel.kind = "server",
        rpc.system = "grpc",
        rpc.method = method,
        rpc.grpc.status_code = field::Empty,
        request_id = %request_id,
        import_id = field::Empty,
    );
    let caller = TraceContextPropagator::new().extract(&TraceHeaders::of(headers));
    // Fails only if no traces are exported.
    let _ = span.set_parent(caller);
    span
}

/// Records the import that the call is about.
pub(crate) fn tell_import(import: Uuid) {
    Span::current().record("import_id", field::display(import));
}

/// Records how the call ended, as the number of a status code.
pub(crate) fn tell_code(span: &Span, code: i32) {
    span.record("rpc.grpc.status_code", code);
}

/// The headers with the context of a trace.
struct TraceHeaders(HashMap<&'static str, String>);

impl TraceHeaders {
    fn of(headers: &HeaderMap) -> Self {
        let named = ["traceparent", "tracestate"].into_iter();
        let found = named.filter_map(|name| {
            let value = headers.get(name)?.to_str().ok()?;
            Some((name, value.to_owned()))
        });
        Self(found.collect())
    }
}

impl Extractor for TraceHeaders {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().copied().collect()
    }
}
