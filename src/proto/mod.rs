//! The public contract: messages, clients and servers generated from `proto/userimport/v1`.

mod codec;
mod results;
mod streams;
mod timestamp;
mod user_row;

pub use results::RowResults;
pub use timestamp::Timestamp;

pub use generated::*;

#[expect(
    clippy::large_enum_variant,
    clippy::pedantic,
    reason = "prost and tonic generate this code"
)]
mod generated {
    tonic::include_proto!("userimport.v1");
    include!(concat!(env!("OUT_DIR"), "/userimport.v1.serde.rs"));
}

/// The encoded `FileDescriptorSet` of the contract, for server reflection and for publishing.
pub const DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/userimport.binpb"));

/// gRPC's own health protocol.
#[expect(
    clippy::pedantic,
    missing_docs,
    reason = "prost and tonic generate this code"
)]
pub mod health {
    tonic::include_proto!("grpc.health.v1");

    /// The encoded `FileDescriptorSet` of it, for server reflection.
    pub const DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/health.binpb"));
}

/// Returns the time as a message.
#[must_use]
pub fn timestamp(time: time::OffsetDateTime) -> Timestamp {
    Timestamp {
        seconds: time.unix_timestamp(),
        nanos: i32::try_from(time.nanosecond()).unwrap_or_default(),
    }
}
