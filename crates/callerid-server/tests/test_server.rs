//! The server for tests, in the test's own runtime: every method, and its end.

use std::error::Error;
use std::time::Duration;

use callerid_client::{Client, ClientError, ClientRequest};
use callerid_core::{
    ApiVersion, Moment, NewCallerId, PhoneNumber, RestException, StatusCallback, ValidationCode,
    ValidationRequest,
};
use callerid_server::testing::{
    Action, AddSandbox, ControlError, Drop, Fault, NamedScript, NumberOrAny, PhoneScript, Seed,
    SeedCallerId, Step, TestAccount, TestOptions, TestServer,
};
use callerid_service::CallStatus;
use tokio::net::TcpStream;
use tokio::runtime::Handle;

type Outcome = Result<(), Box<dyn Error>>;

fn number() -> PhoneNumber {
    PhoneNumber::parse("(415) 867-5309").unwrap()
}

/// A number whose phone answers and keys the code.
fn verifies() -> PhoneNumber {
    PhoneNumber::parse("212-555-0171").unwrap()
}

fn code() -> ValidationCode {
    ValidationCode::parse("123456").unwrap()
}

fn client(account: &TestAccount) -> Client {
    let client = Client::new(account.credentials(), account.url()).unwrap();
    client.with_version(ApiVersion::V2010)
}

/// Sends a request of the API. ureq blocks, so it has a thread of its own.
async fn send<T>(request: ClientRequest<T>) -> Result<Result<T, ClientError>, ureq::Error> {
    let http = request.to_http().unwrap();
    let sent = tokio::task::spawn_blocking(move || {
        let agent = ureq::Agent::config_builder().http_status_as_error(false).build().new_agent();
        let (head, body) = agent.run(http)?.into_parts();
        Ok::<_, ureq::Error>((head, body.into_reader().read_all()?))
    });
    let (head, body) = sent.await.unwrap()?;
    let content_type = head.headers.get("content-type").and_then(|value| value.to_str().ok());
    Ok(request.read(head.status.as_u16(), content_type, &body))
}

/// Reads a body to its end.
trait ReadAll {
    fn read_all(self) -> std::io::Result<Vec<u8>>;
}

impl<R: std::io::Read> ReadAll for R {
    fn read_all(mut self) -> std::io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.read_to_end(&mut bytes).map(|_| bytes)
    }
}

async fn create(
    account: &TestAccount,
    number: PhoneNumber,
) -> Result<ValidationRequest, Box<dyn Error>> {
    Ok(send(client(account).create(&NewCallerId::new(number))?).await??)
}

#[track_caller]
fn rejected<T: std::fmt::Debug>(outcome: Result<T, ControlError>, status: u16, says: &str) {
    match outcome {
        Err(ControlError::Rejected(RestException { status: found, message, .. })) => {
            assert_eq!(found, status, "{message}");
            assert!(message.contains(says), "{message}");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn it_leaves_nothing_when_it_is_dropped() -> Outcome {
    let server = TestServer::start().await?;
    let waiting = {
        let account = (*server).clone();
        tokio::spawn(async move { account.calls().next_within(60).await })
    };
    create(&server, verifies()).await?;
    let address = server.url().trim_start_matches("http://").to_owned();
    assert!(TcpStream::connect(&address).await.is_ok());
    waiting.await??;
    let idle = TcpStream::connect(&address).await?;
    drop(server);
    for _ in 0..500 {
        if Handle::current().metrics().num_alive_tasks() == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(Handle::current().metrics().num_alive_tasks(), 0);
    assert!(TcpStream::connect(&address).await.is_err());
    drop(idle);
    Ok(())
}

#[tokio::test]
async fn it_stops_while_a_request_waits() -> Outcome {
    let server = TestServer::start().await?;
    let account = (*server).clone();
    let waiting = tokio::spawn(async move { account.calls().next_within(60).await });
    tokio::time::sleep(Duration::from_millis(50)).await;
    tokio::time::timeout(Duration::from_secs(5), server.stop()).await?;
    assert!(waiting.await?.is_err());
    Ok(())
}

#[tokio::test]
async fn two_servers_know_nothing_of_each_other() -> Outcome {
    let [one, other] = [TestServer::start().await?, TestServer::start().await?];
    one.seed(&Seed::default().with_caller_ids([number()])).await?;
    assert_eq!(other.caller_ids().list().await?, []);
    assert_ne!(one.account_sid(), other.account_sid());
    Ok(())
}

#[tokio::test]
async fn a_seed_is_what_a_reset_restores() -> Outcome {
    let seed = Seed::default()
        .with_caller_ids([SeedCallerId {
            friendly_name: Some("Jenny".parse()?),
            sid: Some("PNe536dfda7c6184afab78d980cb8cdf43".parse()?),
            ..number().into()
        }])
        .with_code(NumberOrAny::Any, code())
        .with_phone(verifies(), NamedScript::Busy);
    let options = TestOptions { seed: seed.clone(), ..TestOptions::default() };
    let server = TestServer::start_with(options).await?;
    let listed = server.caller_ids().list().await?;
    assert_eq!(listed[0].friendly_name.as_str(), "Jenny");
    create(&server, verifies()).await?;
    server.calls().with_status(CallStatus::Busy).next().await?;
    let more: PhoneNumber = "4158675310".parse()?;
    assert_eq!(server.seed(&Seed::default().with_caller_ids([more])).await?, 1);
    assert_eq!(server.caller_ids().of(more).list().await?.len(), 1);
    assert_eq!(server.reset().await?, 1);
    assert_eq!(server.caller_ids().list().await?, listed);
    assert_eq!(server.calls().list().await?, []);
    let twice = Seed::default().with_caller_ids([more, more]);
    rejected(server.seed(&twice).await, 400, "caller_ids[1].phone_number: ");
    Ok(())
}

#[tokio::test]
async fn snapshots_are_restored_and_kept_under_names() -> Outcome {
    let server = TestServer::start().await?;
    server.seed(&Seed::default().with_caller_ids([number()])).await?;
    let snapshot = server.snapshot().await?;
    assert_eq!(server.snapshots().keep("one/number?").await?, 1);
    server.reset().await?;
    assert_eq!(server.restore(&snapshot).await?, 1);
    server.reset().await?;
    assert_eq!(server.snapshots().restore("one/number?").await?, 1);
    assert_eq!(server.caller_ids().list().await?[0].phone_number, number());
    let kept = server.snapshots().list().await?;
    assert_eq!((kept[0].name.as_str(), kept[0].caller_ids), ("one/number?", 1));
    server.snapshots().remove("one/number?").await?;
    rejected(server.snapshots().restore("one/number?").await, 404, "not found");
    Ok(())
}

#[tokio::test]
async fn the_clock_is_set_frozen_advanced_and_reset() -> Outcome {
    let server = TestServer::start().await?;
    let start = Moment::from_rfc3339("2008-04-01T18:26:32Z")?;
    assert!(server.clock().freeze_at(start).await?.frozen);
    let request = create(&server, number()).await?;
    let live = server.code(number()).await?;
    assert_eq!(live.validation_code, request.validation_code);
    let end = start.plus_seconds(600);
    assert_eq!(server.clock().advance(Duration::from_secs(600)).await?.now, end);
    let call = server.calls().of(number()).list().await?.remove(0);
    assert_eq!((call.status, call.ended_at), (CallStatus::NoAnswer, Some(end)));
    rejected(server.code(number()).await, 404, "not found");
    assert_eq!(server.clock().set(start).await?.now, start);
    assert!(!server.clock().run().await?.frozen);
    assert!(server.clock().freeze().await?.frozen);
    assert!(server.clock().get().await?.now < end);
    let real = server.clock().reset().await?;
    assert!(real.now > Moment::from_rfc3339("2020-01-01T00:00:00Z")? && !real.frozen);
    Ok(())
}

#[tokio::test]
async fn faults_hit_hold_and_tell_what_nearly_matched() -> Outcome {
    let server = TestServer::start().await?;
    let fault = Fault::status(503).code(20503).message("Down").retry_after(1).method("POST");
    let fault = fault.path("*/OutgoingCallerIds*").phone_number(number()).times(1).ttl(60_000);
    let fault = fault.version(ApiVersion::V2010);
    let added = server.faults().add(&fault).await?;
    assert_eq!((added.fault, added.times_left), (fault, Some(1)));
    create(&server, verifies()).await?;
    let error = create(&server, number()).await.unwrap_err();
    assert!(error.to_string().contains("Down"), "{error}");
    let shown = server.faults().list().await?.remove(0);
    assert_eq!((shown.hits, shown.times_left), (1, Some(0)));
    let why = &shown.nearly_matched[0].because;
    assert_eq!(why, "its phone number is 2125550171, not 4158675309");
    server.faults().remove(shown.id).await?;
    rejected(server.faults().remove(shown.id).await, 404, "not found");
    rejected(server.faults().add(&Fault::status(200)).await, 400, "then.status: ");

    server.faults().add(&Fault::drop(Drop::After).times(1)).await?;
    assert!(create(&server, number()).await.is_err());
    server.faults().add(&Fault::delay(1).times(1)).await?;
    create(&server, number()).await?;
    server.faults().clear().await?;
    let held = server.faults().add(&Fault::hold().times(1)).await?;
    let creating = client(&server).create(&NewCallerId::new(number()))?;
    let creating = tokio::spawn(send(creating));
    let known = server.calls().list().await?.len();
    while server.calls().list().await?.len() == known {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(!creating.is_finished());
    server.faults().release(held.id).await?;
    creating.await???;
    Ok(())
}

#[tokio::test]
async fn phones_follow_scripts_or_the_test() -> Outcome {
    let server = TestServer::start().await?;
    let every = server.phone(NumberOrAny::Any);
    every.will(NamedScript::Declines).await?;
    let steps = [
        Step::new(Action::Answer).after(1),
        Step::wrong_code(),
        Step::keys("12#")?,
        Step::new(Action::Key),
    ];
    server.phone(number()).will(steps.clone()).await?;
    let phones = server.phones().await?;
    assert_eq!(phones[&number().into()], PhoneScript::from(steps));
    create(&server, number()).await?;
    server.caller_ids().of(number()).next().await?;
    rejected(server.phone(number()).will(vec![Step::new(Action::Busy); 101]).await, 400, "100");
    server.phone(number()).remove_script().await?;
    rejected(server.phone(number()).remove_script().await, 404, "not found");
    server.clear_phones().await?;
    assert!(server.phones().await?.is_empty());

    let other = PhoneNumber::parse("4158675310")?;
    server.seed(&Seed::default().with_code(other, code())).await?;
    create(&server, other).await?;
    let ringing = server.phone(other).rings().await?;
    rejected(server.press(ringing.call_sid, "1").await, 409, "");
    server.answer(ringing.call_sid).await?;
    let call = server.press(ringing.call_sid, code().expose()).await?;
    assert_eq!(call.verification_status.as_deref(), Some("success"));
    create(&server, PhoneNumber::parse("4158675311")?).await?;
    let ringing = every.rings().await?;
    assert_eq!(server.hang_up(ringing.call_sid).await?.status, CallStatus::Busy);
    let nothing = server.calls().with_status(CallStatus::Failed).next_within(1).await;
    assert!(nothing.unwrap_err().to_string().contains("calls?status=failed&wait=1"));
    Ok(())
}

#[tokio::test]
async fn requests_and_callbacks_are_listed() -> Outcome {
    let server = TestServer::start().await?;
    let receiver = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://jane:s3cret@{}/", receiver.local_addr()?);
    let callback = StatusCallback::new(&url, Default::default())?;
    let request = NewCallerId { status_callback: Some(callback), ..NewCallerId::new(verifies()) };
    send(client(&server).create(&request)?).await??;
    let (connection, _) = receiver.accept().await?;
    let callback = server.callbacks().of(verifies()).with_status("pending").next().await?;
    assert!(callback.parameters.contains("VerificationStatus=success"));
    drop(connection);
    let logged = server.requests().list().await?.remove(0);
    assert_eq!((logged.method.as_str(), logged.status), ("POST", Some(200)));
    assert_eq!(logged.version.as_deref(), Some("2010-04-01"));
    assert!(!logged.form.contains("s3cret") && logged.form.contains("StatusCallback"));
    assert_eq!(server.requests().since(logged.id).await?, []);
    server.requests().clear().await?;
    assert_eq!(server.requests().list().await?, []);
    Ok(())
}

#[tokio::test]
async fn more_calls_than_a_page_are_listed() -> Outcome {
    let server = TestServer::start().await?;
    server.phone(NumberOrAny::Any).will(NamedScript::Busy).await?;
    for last in 100..160 {
        create(&server, PhoneNumber::parse(&format!("4158675{last}"))?).await?;
    }
    assert_eq!(server.calls().list().await?.len(), 60);
    Ok(())
}

#[tokio::test]
async fn a_sandbox_has_the_same_controls_and_ends() -> Outcome {
    let server = TestServer::start().await?;
    let seed = Seed::default().with_caller_ids([number()]);
    let sandbox = server.sandbox(&AddSandbox { seed, ttl_s: Some(600) }).await?;
    assert_eq!(sandbox.caller_ids().list().await?.len(), 1);
    assert_eq!(server.caller_ids().list().await?, []);
    create(&sandbox, verifies()).await?;
    sandbox.caller_ids().of(verifies()).next().await?;
    let copy = sandbox.clone();
    sandbox.remove().await?;
    rejected(copy.caller_ids().list().await, 401, "");
    rejected((*server).clone().remove().await, 404, "not found");
    Ok(())
}

#[tokio::test]
async fn a_server_that_has_stopped_does_not_answer() -> Outcome {
    let server = TestServer::start().await?;
    let account = (*server).clone();
    server.stop().await;
    let error = account.reset().await.unwrap_err();
    assert!(matches!(error, ControlError::NoAnswer(_)), "{error}");
    Ok(())
}
