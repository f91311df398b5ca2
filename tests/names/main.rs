//! Clients and servers whose names had to be changed still speak of the rpcs that their protos name.
//!
//! That they compile, pass clippy and have documentation is tested by compiling this crate at all.

use tests::names::names::rpcs::colliding_client::CollidingClient;
use tests::names::names::rpcs::colliding_server::{Colliding, CollidingServer};
use tests::names::names::rpcs::keywords_client::KeywordsClient;
use tests::names::names::rpcs::keywords_server::{Keywords, KeywordsServer};
use tests::names::names::rpcs::odd_client::OddClient;
use tests::names::names::rpcs::odd_server::{Odd, OddServer};
use tests::names::names::rpcs::taken_client::TakenClient;
use tests::names::names::rpcs::taken_server::{Taken, TakenServer};
use tests::names::names::rpcs::{Call, Called};
use tests::names::names::services::option_client::OptionClient;
use tests::names::names::services::option_server::{OptionService, OptionServiceServer};
use tests::names::names::services::{
    Answer, Ask, foo_client, foo_client_2, foo_client_3, foo_client_4,
};
use tests::names::names::well_known::well_known_client::WellKnownClient;
use tests::names::names::well_known::well_known_server::{WellKnown, WellKnownServer};
use tokio_stream::StreamExt;
use tonic::{Code, Request, Response, Status, Streaming, async_trait};
use tonic_cloud_run::Channel;

/// As the methods of servers return it.
#[allow(clippy::unnecessary_wraps)]
fn called(rpc: &str) -> Result<Response<Called>, Status> {
    Ok(Response::new(Called {
        rpc: rpc.to_owned(),
    }))
}

type Calls = tonic::codegen::BoxStream<Called>;

fn many(rpc: &str) -> Response<Calls> {
    let each = ["first ", "second "].map(|count| {
        Ok(Called {
            rpc: format!("{count}{rpc}"),
        })
    });
    Response::new(Box::pin(tokio_stream::iter(each)))
}

struct Fake;

#[async_trait]
impl Taken for Fake {
    async fn new(&self, _: Request<Call>) -> Result<Response<Called>, Status> {
        called("New")
    }

    async fn clone(&self, _: Request<Call>) -> Result<Response<Called>, Status> {
        called("Clone")
    }

    async fn from_channel(&self, _: Request<Call>) -> Result<Response<Called>, Status> {
        called("FromChannel")
    }

    async fn method(&self, _: Request<Call>) -> Result<Response<Called>, Status> {
        called("Method")
    }

    async fn method_2(&self, _: Request<Call>) -> Result<Response<Called>, Status> {
        called("METHOD")
    }
}

#[tokio::test]
async fn rpcs_give_way_to_what_every_client_has() -> Result<(), Status> {
    let client = TakenClient::from_channel(Channel::in_process(TakenServer::new(Fake)));
    let same = client.clone();
    assert_eq!(same.new_(Call {}).await?.into_inner().rpc, "New");
    assert_eq!(same.clone_(Call {}).await?.into_inner().rpc, "Clone");
    assert_eq!(
        same.from_channel_(Call {}).await?.into_inner().rpc,
        "FromChannel"
    );
    assert_eq!(same.method(Call {}).await?.into_inner().rpc, "Method");
    assert_eq!(same.method_2(Call {}).await?.into_inner().rpc, "METHOD");
    let status = same.drop_(Call {}).await.unwrap_err();
    assert_eq!(status.code(), Code::Unimplemented);
    let limited = client
        .max_decoding_message_size(1)
        .max_encoding_message_size(1024);
    assert!(limited.new_(Call {}).await.is_err());
    Ok(())
}

#[async_trait]
impl Keywords for Fake {
    async fn r#type(&self, _: Request<Call>) -> Result<Response<Called>, Status> {
        called("Type")
    }

    async fn self_(&self, _: Request<Call>) -> Result<Response<Called>, Status> {
        called("Self")
    }

    async fn self_2(&self, _: Request<Call>) -> Result<Response<Called>, Status> {
        called("self")
    }

    async fn r#async(&self, _: Request<Call>) -> Result<Response<Calls>, Status> {
        Ok(many("Async"))
    }
}

#[tokio::test]
async fn keywords_are_called_by_their_rpcs_names() -> Result<(), Status> {
    let client = KeywordsClient::from_channel(Channel::in_process(KeywordsServer::new(Fake)));
    assert_eq!(client.r#type(Call {}).await?.into_inner().rpc, "Type");
    assert_eq!(client.self_(Call {}).await?.into_inner().rpc, "Self");
    assert_eq!(client.self_2(Call {}).await?.into_inner().rpc, "self");
    let mut calls = client.r#async(Call {}).await?.into_inner();
    assert_eq!(calls.next().await.unwrap()?.rpc, "first Async");
    Ok(())
}

#[async_trait]
impl Colliding for Fake {
    async fn get_book(&self, _: Request<Call>) -> Result<Response<Called>, Status> {
        called("GetBook")
    }

    async fn get_book_3(&self, _: Request<Call>) -> Result<Response<Calls>, Status> {
        Ok(many("getBook"))
    }

    async fn get_book_4(
        &self,
        request: Request<Streaming<Call>>,
    ) -> Result<Response<Called>, Status> {
        let count = request.into_inner().collect::<Vec<_>>().await.len();
        called(&format!("Get_Book of {count}"))
    }

    async fn get_book_5(&self, _: Request<Streaming<Call>>) -> Result<Response<Calls>, Status> {
        Ok(many("GETBook"))
    }

    async fn get_book2(&self, _: Request<Call>) -> Result<Response<Called>, Status> {
        called("GetBook2")
    }

    async fn get_book_2(&self, _: Request<Call>) -> Result<Response<Called>, Status> {
        called("GetBook_2")
    }
}

#[tokio::test]
async fn rpcs_that_collide_are_numbered_in_client_and_server() -> Result<(), Status> {
    let client = CollidingClient::from_channel(Channel::in_process(CollidingServer::new(Fake)));
    assert_eq!(client.get_book(Call {}).await?.into_inner().rpc, "GetBook");
    let mut calls = client.get_book_3(Call {}).await?.into_inner();
    assert_eq!(calls.next().await.unwrap()?.rpc, "first getBook");
    let two = tokio_stream::iter([Call {}, Call {}]);
    assert_eq!(
        client.get_book_4(two).await?.into_inner().rpc,
        "Get_Book of 2"
    );
    let calls = client
        .get_book_5(tokio_stream::iter([Call {}]))
        .await?
        .into_inner();
    let rpcs: Vec<String> = calls
        .map(|call| call.map_or_else(|status| status.to_string(), |call| call.rpc))
        .collect()
        .await;
    assert_eq!(rpcs, ["first GETBook", "second GETBook"]);
    assert_eq!(
        client.get_book2(Call {}).await?.into_inner().rpc,
        "GetBook2"
    );
    assert_eq!(
        client.get_book_2(Call {}).await?.into_inner().rpc,
        "GetBook_2"
    );
    Ok(())
}

#[async_trait]
impl Odd for Fake {
    async fn rpc(&self, _: Request<Call>) -> Result<Response<Called>, Status> {
        called("_")
    }

    async fn rpc_2(&self, _: Request<Call>) -> Result<Response<Called>, Status> {
        called("__")
    }

    async fn _1(&self, _: Request<Call>) -> Result<Response<Called>, Status> {
        called("_1")
    }
}

#[tokio::test]
async fn names_without_letters_get_some() -> Result<(), Status> {
    let client = OddClient::from_channel(Channel::in_process(OddServer::new(Fake)));
    assert_eq!(client.rpc(Call {}).await?.into_inner().rpc, "_");
    assert_eq!(client.rpc_2(Call {}).await?.into_inner().rpc, "__");
    assert_eq!(client._1(Call {}).await?.into_inner().rpc, "_1");
    Ok(())
}

#[async_trait]
impl OptionService for Fake {
    async fn get(&self, request: Request<Ask>) -> Result<Response<Answer>, Status> {
        let that = request.into_inner().what;
        Ok(Response::new(Answer { that }))
    }
}

#[tokio::test]
async fn a_service_may_be_called_option() -> Result<(), Status> {
    let client = OptionClient::from_channel(Channel::in_process(OptionServiceServer::new(Fake)));
    let what = "None".to_owned();
    assert_eq!(client.get(Ask { what }).await?.into_inner().that, "None");
    Ok(())
}

#[async_trait]
impl WellKnown for Fake {
    async fn empty(&self, _: Request<()>) -> Result<Response<()>, Status> {
        Ok(Response::new(()))
    }

    async fn double(&self, request: Request<f64>) -> Result<Response<f32>, Status> {
        let half = request.into_inner() / 2.0;
        Ok(Response::new(if half > 2.0 { 2.5 } else { 0.0 }))
    }

    async fn bool(&self, request: Request<bool>) -> Result<Response<String>, Status> {
        Ok(Response::new(request.into_inner().to_string()))
    }
}

#[tokio::test]
async fn well_known_types_are_those_of_rust() -> Result<(), Status> {
    let client = WellKnownClient::from_channel(Channel::in_process(WellKnownServer::new(Fake)));
    client.empty(()).await?;
    assert!((client.double(5.0).await?.into_inner() - 2.5).abs() < f32::EPSILON);
    assert_eq!(client.bool(true).await?.into_inner(), "true");
    Ok(())
}

/// `Foo`, `foo`, `FOO_` and, in another file, `foo_`.
#[test]
fn services_that_collide_get_modules_of_their_own() {
    let host = "foo.example.com";
    assert!(foo_client::FooClient::new(host).is_ok());
    assert!(foo_client_2::FooClient::new(host).is_ok());
    assert!(foo_client_3::FooClient::new(host).is_ok());
    assert!(foo_client_4::FooClient::new(host).is_ok());
}

#[test]
fn clients_are_what_programs_want_of_them() {
    fn wanted<T: Clone + std::fmt::Debug + Send + Sync + Unpin + 'static>() {}
    wanted::<TakenClient>();
    let client = TakenClient::new("bookstore.example.com").unwrap();
    assert!(format!("{client:?}").starts_with("TakenClient"));
    assert!(TakenClient::new("not a host").is_err());
}

#[test]
fn calls_can_be_sent_to_other_threads() {
    fn send<T: Send>(_: &T) {}
    let client = CollidingClient::new("bookstore.example.com").unwrap();
    send(&client.get_book(Call {}));
    send(&client.get_book_3(Request::new(Call {})));
    send(&client.get_book_4(tokio_stream::iter([Call {}])));
    send(&client.get_book_5(tokio_stream::iter([Call {}])));
}
