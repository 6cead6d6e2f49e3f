//! Ten scenarios: cargo test.

use std::collections::BTreeMap;
use std::error::Error;
use std::time::Duration;

use base64ct::{Base64, Encoding as _};
use callerid_client::{Client, ClientError, ClientRequest};
use callerid_core::{
    ApiVersion, CallbackMethod, ErrorCode, Filter, Moment, NewCallerId, PageRequest, PhoneNumber,
    StatusCallback, ValidationRequest,
};
use callerid_server::testing::{
    Action, CallStatus, CallView, Drop, Fault, NamedScript, NumberOrAny, Seed, Step, TestServer,
};
use hmac::{Hmac, KeyInit as _, Mac as _};

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

const NUMBER: &str = "+14158675309";
const VERIFIES: &str = "+12125550171";
const WRONG_THEN_RIGHT: &str = "+12125550173";

/// A server in this process, and a client.
struct Api {
    server: TestServer,
    client: Client,
    http: reqwest::Client,
}

impl Api {
    async fn start() -> Outcome<Self> {
        let server = TestServer::start().await?;
        let client = Client::new(server.credentials(), server.url())?;
        let client = client.with_version(ApiVersion::V2010);
        Ok(Self { server, client, http: reqwest::Client::new() })
    }

    async fn send<T>(&self, request: ClientRequest<T>) -> Outcome<T> {
        let response = self.http.execute(request.to_http()?.try_into()?).await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let content_type = headers.get("content-type").and_then(|value| value.to_str().ok());
        Ok(request.read(status, content_type, &response.bytes().await?)?)
    }

    async fn create(&self, number: &str) -> Outcome<ValidationRequest> {
        self.send(self.client.create(&NewCallerId::new(number.parse()?))?).await
    }

    /// Waits for a call to the number with this status.
    async fn call(&self, number: &str, status: CallStatus) -> Outcome<CallView> {
        Ok(self.server.calls().of(number.parse()?).with_status(status).next().await?)
    }

    /// The caller IDs, from every page, and how many pages there are.
    async fn caller_ids(&self) -> Outcome<(Vec<PhoneNumber>, usize)> {
        let (mut numbers, mut pages) = (Vec::new(), 0);
        let mut next = Some(self.client.list(&Filter::default(), PageRequest::default()));
        while let Some(request) = next {
            let received = self.send(request).await?;
            numbers.extend(received.page.items.iter().map(|caller_id| caller_id.phone_number));
            next = self.client.next_page(&Filter::default(), &received)?;
            pages += 1;
        }
        Ok((numbers, pages))
    }
}

#[tokio::test]
async fn happy_path() -> Outcome {
    let api = Api::start().await?;
    let request = api.create(VERIFIES).await?;
    let call = api.call(VERIFIES, CallStatus::Completed).await?;
    assert_eq!(Some(call.call_sid), request.call_sid);
    assert_eq!(call.verification_status.as_deref(), Some("success"));
    assert_eq!(api.caller_ids().await?.0, [VERIFIES.parse()?]);
    Ok(())
}

#[tokio::test]
async fn a_wrong_code_then_the_right_one() -> Outcome {
    let api = Api::start().await?;
    api.create(WRONG_THEN_RIGHT).await?;
    let call = api.call(WRONG_THEN_RIGHT, CallStatus::Completed).await?;
    assert_eq!((call.verification_status.as_deref(), call.entries_left), (Some("success"), 2));
    assert_eq!(api.caller_ids().await?.0, [WRONG_THEN_RIGHT.parse()?]);
    Ok(())
}

#[tokio::test]
async fn busy() -> Outcome {
    let api = Api::start().await?;
    api.server.phone(NUMBER.parse::<PhoneNumber>()?).will(NamedScript::Busy).await?;
    api.create(NUMBER).await?;
    let call = api.call(NUMBER, CallStatus::Busy).await?;
    assert_eq!(call.verification_status.as_deref(), Some("failed"));
    assert_eq!(api.caller_ids().await?.0, []);
    Ok(())
}

#[tokio::test]
async fn nobody_answers() -> Outcome {
    let api = Api::start().await?;
    let script = [Step::new(Action::NoAnswer).after(200)];
    api.server.phone(NumberOrAny::Any).will(script).await?;
    api.create(NUMBER).await?;
    assert_eq!(api.call(NUMBER, CallStatus::NoAnswer).await?.answered_at, None);
    assert_eq!(api.caller_ids().await?.0, []);
    Ok(())
}

#[tokio::test]
async fn time_runs_out() -> Outcome {
    let api = Api::start().await?;
    let start = Moment::from_rfc3339("2008-04-01T18:26:32Z")?;
    api.server.clock().freeze_at(start).await?;
    let request = api.create(NUMBER).await?;
    let live = api.server.code(NUMBER.parse()?).await?;
    assert_eq!(live.validation_code, request.validation_code);
    api.server.clock().advance(Duration::from_secs(600)).await?;
    let call = api.call(NUMBER, CallStatus::NoAnswer).await?;
    assert_eq!(call.ended_at, Some(start.plus_seconds(600)));
    Ok(())
}

#[tokio::test]
async fn the_service_is_down_twice_then_works() -> Outcome {
    let api = Api::start().await?;
    api.server.faults().add(&Fault::status(503).message("Down").times(2)).await?;
    for _ in 0..2 {
        let error = api.create(VERIFIES).await.unwrap_err();
        assert!(error.to_string().contains("Down"), "{error}");
    }
    api.create(VERIFIES).await?;
    api.call(VERIFIES, CallStatus::Completed).await?;
    let statuses: Vec<_> =
        api.server.requests().list().await?.iter().filter_map(|it| it.status).collect();
    assert_eq!(statuses, [503, 503, 200]);
    Ok(())
}

#[tokio::test]
async fn the_answer_is_lost_after_the_work_so_asking_again_rings_twice() -> Outcome {
    let api = Api::start().await?;
    let fault = Fault::drop(Drop::After).method("POST").phone_number(NUMBER.parse()?).times(1);
    api.server.faults().add(&fault).await?;
    let error = api.create(NUMBER).await.unwrap_err();
    assert!(error.is::<reqwest::Error>(), "{error}");
    let first = api.call(NUMBER, CallStatus::Ringing).await?.call_sid;
    let again = api.create(NUMBER).await?.call_sid;
    assert_eq!(api.call(NUMBER, CallStatus::Canceled).await?.call_sid, first);
    assert_eq!(Some(api.call(NUMBER, CallStatus::Ringing).await?.call_sid), again);
    Ok(())
}

#[tokio::test]
async fn a_hundred_and_twenty_caller_ids_over_pages() -> Outcome {
    let api = Api::start().await?;
    let numbers = (100..220).map(|last| PhoneNumber::parse(&format!("4158675{last}")));
    let numbers = numbers.collect::<Result<Vec<_>, _>>()?;
    api.server.seed(&Seed::default().with_caller_ids(numbers.clone())).await?;
    let (mut listed, pages) = api.caller_ids().await?;
    listed.sort();
    assert_eq!((listed, pages), (numbers, 3));
    Ok(())
}

#[tokio::test]
async fn a_number_already_validated() -> Outcome {
    let api = Api::start().await?;
    let number: PhoneNumber = NUMBER.parse()?;
    api.server.seed(&Seed::default().with_caller_ids([number])).await?;
    let error = api.create(NUMBER).await.unwrap_err();
    let code = error.downcast_ref::<ClientError>().and_then(ClientError::error_code);
    assert_eq!(code, Some(ErrorCode::AlreadyValidated), "{error}");
    assert_eq!(api.server.calls().list().await?, []);
    Ok(())
}

#[tokio::test]
async fn a_callback_with_a_signature() -> Outcome {
    let api = Api::start().await?;
    let receiver = tiny_http::Server::http("127.0.0.1:0").map_err(|error| error.to_string())?;
    let url = format!("http://{}/validated", receiver.server_addr());
    let status_callback = Some(StatusCallback::new(&url, CallbackMethod::Post)?);
    let request = NewCallerId { status_callback, ..NewCallerId::new(VERIFIES.parse()?) };
    api.send(api.client.create(&request)?).await?;
    let received = tokio::task::spawn_blocking(move || {
        let mut request = receiver.recv()?;
        let mut form = Vec::new();
        request.as_reader().read_to_end(&mut form)?;
        let signature = request.headers().iter().find(|it| it.field.equiv("X-Twilio-Signature"));
        let signature = signature.map(|header| header.value.to_string());
        request.respond(tiny_http::Response::empty(204))?;
        Ok::<_, std::io::Error>((form, signature))
    });
    let (form, signature) = received.await??;
    let form: BTreeMap<_, _> = url::form_urlencoded::parse(&form).into_owned().collect();
    assert_eq!((&*form["To"], &*form["VerificationStatus"]), (VERIFIES, "success"));
    // Twilio signs the URL and the parameters, sorted by name.
    let signed = form.iter().fold(url, |text, (name, value)| text + name + value);
    let token = api.server.auth_token().expose();
    let mut hmac = Hmac::<sha1::Sha1>::new_from_slice(token.as_bytes())?;
    hmac.update(signed.as_bytes());
    let expected = Base64::encode_string(&hmac.finalize().into_bytes());
    assert_eq!(signature, Some(expected));
    Ok(())
}
