//! Whether a server can be used, as it says itself (`grpc.health.v1`).

use tonic::Code;

use super::{Client, ClientError};
use crate::proto::health::{HealthCheckRequest, health_check_response::ServingStatus};

/// What a server says of itself or of one of its services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// It can be used.
    Serving,
    /// It cannot: it starts, drains, or has no database.
    NotServing,
    /// It has no such service.
    Unknown,
}

impl Client {
    /// Asks for the health of `service`, such as `userimport.v1.ImportService`; empty: of the server.
    ///
    /// # Errors
    /// Where the server does not say.
    pub async fn health(&mut self, service: &str) -> Result<Health, ClientError> {
        let request = HealthCheckRequest {
            service: service.to_owned(),
        };
        match self.health.check(request).await {
            Ok(answer) if answer.get_ref().status() == ServingStatus::Serving => {
                Ok(Health::Serving)
            }
            Ok(_) => Ok(Health::NotServing),
            Err(status) if status.code() == Code::NotFound => Ok(Health::Unknown),
            Err(status) => Err(status.into()),
        }
    }
}
