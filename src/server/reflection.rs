//! Server reflection: describes the contract to clients that do not have it, in the protocol's versions v1
//! and v1alpha, which have the same messages.

use std::{collections::HashMap, pin::Pin, sync::Arc, time::Duration};

use futures_util::stream;
use http::{Uri, uri::PathAndQuery};
use prost::Message;
use prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto,
    FileDescriptorSet, OneofDescriptorProto,
};
use tokio::time::timeout;
use tokio_stream::Stream;
use tonic::{
    Code, Request, Response, Status, Streaming,
    body::Body,
    codec::CompressionEncoding::{Gzip, Zstd},
};
use tonic_reflection::pb::{
    v1::{
        self, ErrorResponse, ExtensionNumberResponse, FileDescriptorResponse, ListServiceResponse,
        ServerReflectionRequest, ServerReflectionResponse, ServiceResponse,
        server_reflection_request::MessageRequest,
        server_reflection_response::MessageResponse,
        server_reflection_server::{ServerReflection, ServerReflectionServer},
    },
    v1alpha,
};

use crate::{
    proto::{DESCRIPTOR_SET, health},
    rpc::{self, SMALL_REQUEST_BYTES},
};

/// How long a client may wait between two requests.
const PATIENCE: Duration = Duration::from_secs(30);

/// The service of v1, which describes all services.
///
/// # Errors
/// Fails if the contract cannot be read.
pub(super) fn service() -> anyhow::Result<ServerReflectionServer<impl ServerReflection>> {
    let contract = ContractIndex::read([
        DESCRIPTOR_SET,
        health::DESCRIPTOR_SET,
        v1::FILE_DESCRIPTOR_SET,
        v1alpha::FILE_DESCRIPTOR_SET,
    ])?;
    let service = ServerReflectionServer::new(ReflectionService(Arc::new(contract)));
    Ok(service
        .accept_compressed(Gzip)
        .accept_compressed(Zstd)
        .max_decoding_message_size(SMALL_REQUEST_BYTES))
}

/// Passes calls of v1alpha to the service of v1, which has the same messages.
pub(super) fn as_v1(mut request: http::Request<Body>) -> http::Request<Body> {
    let path = request.uri().path();
    if let Some(method) = path.strip_prefix("/grpc.reflection.v1alpha.")
        && let Ok(path) = PathAndQuery::try_from(format!("/grpc.reflection.v1.{method}"))
    {
        *request.uri_mut() = Uri::from(path);
    }
    request
}

/// The files, symbols and services of the contract, by name.
#[derive(Debug, Default)]
struct ContractIndex {
    services: Vec<String>,
    /// Encoded.
    files: HashMap<String, Vec<u8>>,
    /// The file of each symbol.
    symbols: HashMap<String, String>,
    messages: Vec<String>,
}

impl ContractIndex {
    fn read<'a>(sets: impl IntoIterator<Item = &'a [u8]>) -> Result<Self, prost::DecodeError> {
        let mut contract = Self::default();
        for set in sets {
            for file in FileDescriptorSet::decode(set)?.file {
                contract.add_file(&file);
            }
        }
        Ok(contract)
    }

    fn add_file(&mut self, file: &FileDescriptorProto) {
        let name = file.name();
        if self.files.contains_key(name) {
            return;
        }
        self.files.insert(name.to_owned(), file.encode_to_vec());
        let package = file.package();
        for message in &file.message_type {
            self.add_message(name, package, message);
        }
        for symbols in &file.enum_type {
            self.add_enum(name, package, symbols);
        }
        for service in &file.service {
            let full = self.add(name, package, service.name());
            for method in &service.method {
                self.add(name, &full, method.name());
            }
            self.services.push(full);
        }
    }

    fn add_message(&mut self, file: &str, scope: &str, message: &DescriptorProto) {
        let full = self.add(file, scope, message.name());
        let fields = message.field.iter().map(FieldDescriptorProto::name);
        let choices = message.oneof_decl.iter().map(OneofDescriptorProto::name);
        for part in fields.chain(choices) {
            self.add(file, &full, part);
        }
        for nested in &message.nested_type {
            self.add_message(file, &full, nested);
        }
        for symbols in &message.enum_type {
            self.add_enum(file, &full, symbols);
        }
        self.messages.push(full);
    }

    fn add_enum(&mut self, file: &str, scope: &str, symbols: &EnumDescriptorProto) {
        let full = self.add(file, scope, symbols.name());
        for value in &symbols.value {
            self.add(file, &full, value.name());
        }
    }

    /// Adds a symbol, and returns its full name.
    fn add(&mut self, file: &str, scope: &str, name: &str) -> String {
        let full = match scope {
            "" => name.to_owned(),
            scope => format!("{scope}.{name}"),
        };
        self.symbols.insert(full.clone(), file.to_owned());
        full
    }

    fn answer(&self, asked: Option<&MessageRequest>) -> Result<MessageResponse, ErrorResponse> {
        match asked {
            Some(MessageRequest::FileByFilename(name)) => self.file(name),
            Some(MessageRequest::FileContainingSymbol(symbol)) => match self.symbols.get(symbol) {
                Some(name) => self.file(name),
                None => Err(error(Code::NotFound, "There is no such symbol.")),
            },
            Some(MessageRequest::FileContainingExtension(_)) => {
                Err(error(Code::NotFound, "There is no such extension."))
            }
            Some(MessageRequest::AllExtensionNumbersOfType(name)) => self.extensions(name),
            Some(MessageRequest::ListServices(_)) => {
                let services = self.services.iter().cloned();
                Ok(MessageResponse::ListServicesResponse(ListServiceResponse {
                    service: services.map(|name| ServiceResponse { name }).collect(),
                }))
            }
            None => Err(error(Code::InvalidArgument, "Nothing is asked for.")),
        }
    }

    fn file(&self, name: &str) -> Result<MessageResponse, ErrorResponse> {
        let file = self.files.get(name).cloned();
        let file = file.ok_or_else(|| error(Code::NotFound, "There is no such file."))?;
        Ok(MessageResponse::FileDescriptorResponse(
            FileDescriptorResponse {
                file_descriptor_proto: vec![file],
            },
        ))
    }

    /// No message of ours has extensions.
    fn extensions(&self, name: &str) -> Result<MessageResponse, ErrorResponse> {
        if !self.messages.iter().any(|message| message == name) {
            return Err(error(Code::NotFound, "There is no such message."));
        }
        Ok(MessageResponse::AllExtensionNumbersResponse(
            ExtensionNumberResponse {
                base_type_name: name.to_owned(),
                extension_number: Vec::new(),
            },
        ))
    }
}

fn error(code: Code, message: &str) -> ErrorResponse {
    ErrorResponse {
        error_code: code.into(),
        error_message: message.to_owned(),
    }
}

#[derive(Debug)]
struct ReflectionService(Arc<ContractIndex>);

type ReflectionRequests = Streaming<ServerReflectionRequest>;
type ReflectionAnswer = Result<ServerReflectionResponse, Status>;

#[tonic::async_trait]
impl ServerReflection for ReflectionService {
    type ServerReflectionInfoStream = Pin<Box<dyn Stream<Item = ReflectionAnswer> + Send>>;

    async fn server_reflection_info(
        &self,
        request: Request<ReflectionRequests>,
    ) -> Result<Response<Self::ServerReflectionInfoStream>, Status> {
        let state = Some((Arc::clone(&self.0), request.into_inner()));
        let answers = stream::unfold(state, async |state| {
            let (contract, mut questions) = state?;
            let answer = next_answer(&contract, &mut questions).await?;
            // An error ends the stream.
            let rest = answer.is_ok().then_some((contract, questions));
            Some((answer, rest))
        });
        Ok(Response::new(Box::pin(answers)))
    }
}

/// Returns the next response, or `None` if the client sends nothing more.
async fn next_answer(
    contract: &ContractIndex,
    questions: &mut ReflectionRequests,
) -> Option<ReflectionAnswer> {
    let question = match timeout(PATIENCE, questions.message()).await {
        Ok(Ok(question)) => question?,
        Ok(Err(status)) => return Some(Err(rpc::unreadable(&status, SMALL_REQUEST_BYTES))),
        Err(_) => return Some(Err(rpc::request_too_slow(PATIENCE, PATIENCE))),
    };
    let answered = contract.answer(question.message_request.as_ref());
    Some(Ok(ServerReflectionResponse {
        valid_host: question.host.clone(),
        original_request: Some(question),
        message_response: Some(answered.unwrap_or_else(MessageResponse::ErrorResponse)),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_symbol_is_found_in_its_file() {
        let contract = ContractIndex::read([DESCRIPTOR_SET, health::DESCRIPTOR_SET]).unwrap();
        for (symbol, file) in [
            ("grpc.health.v1.Health", "grpc/health/v1/health.proto"),
            ("grpc.health.v1.Health.List", "grpc/health/v1/health.proto"),
            (
                "grpc.health.v1.HealthCheckResponse.ServingStatus.SERVING",
                "grpc/health/v1/health.proto",
            ),
            ("userimport.v1.UserRow.email", "userimport/v1/types.proto"),
        ] {
            assert_eq!(contract.symbols.get(symbol).unwrap(), file, "{symbol}");
        }
        for known in contract.symbols.values() {
            assert!(contract.files.contains_key(known), "{known}");
        }
    }
}
