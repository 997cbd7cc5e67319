//! Asks a server for its health (`grpc.health.v1`).

use tonic::Code;

use super::{ClientError, ServiceClient};
use crate::proto::health::{HealthCheckRequest, health_check_response::ServingStatus};

/// The health of a server or of one of its services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ServerHealth {
    /// It can be used.
    Serving,
    /// It cannot: it starts, drains, or has no database.
    NotServing,
    /// It has no such service.
    Unknown,
}

impl ServiceClient {
    /// Asks for the health of `service`, such as `userimport.v1.ImportService`, or of the server if it is empty.
    ///
    /// # Errors
    /// Fails if the server does not answer.
    pub(crate) async fn health(&mut self, service: &str) -> Result<ServerHealth, ClientError> {
        let request = HealthCheckRequest {
            service: service.to_owned(),
        };
        match self.health.check(request).await {
            Ok(answer) if answer.get_ref().status() == ServingStatus::Serving => {
                Ok(ServerHealth::Serving)
            }
            Ok(_) => Ok(ServerHealth::NotServing),
            Err(status) if status.code() == Code::NotFound => Ok(ServerHealth::Unknown),
            Err(status) => Err(status.into()),
        }
    }
}
