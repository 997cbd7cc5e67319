//! Layers that are functions: each gets a request and the services behind the layer, and returns the
//! response.

use std::{convert::Infallible, future::Future, sync::Arc};

use futures_util::future::{BoxFuture, FutureExt};
use http::{Request, Response};
use tonic::body::Body;
use tower::{Layer, Service, ServiceExt, service_fn, util::BoxCloneSyncService};

type LayeredService = BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>;
type ResponseFuture = BoxFuture<'static, Result<Response<Body>, Infallible>>;

/// The services behind a layer.
pub(crate) struct InnerService(LayeredService);

impl InnerService {
    /// Passes the request on.
    pub(crate) async fn call(self, request: Request<Body>) -> Response<Body> {
        let Ok(response) = self.0.oneshot(request).await;
        response
    }
}

/// A layer that is a function. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Middleware(
    Arc<dyn Fn(Request<Body>, InnerService) -> ResponseFuture + Send + Sync>,
);

impl Middleware {
    /// A layer that answers requests with `answer`.
    pub(crate) fn new<A>(
        answer: impl Fn(Request<Body>, InnerService) -> A + Send + Sync + 'static,
    ) -> Self
    where
        A: Future<Output = Response<Body>> + Send + 'static,
    {
        Self(Arc::new(move |request, next| {
            answer(request, next).map(Ok).boxed()
        }))
    }
}

impl<S> Layer<S> for Middleware
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>
        + Clone
        + Send
        + Sync
        + 'static,
    S::Future: Send,
{
    type Service = LayeredService;

    fn layer(&self, inner: S) -> LayeredService {
        let (answer, inner) = (Arc::clone(&self.0), LayeredService::new(inner));
        LayeredService::new(service_fn(move |request| {
            answer(request, InnerService(inner.clone()))
        }))
    }
}
