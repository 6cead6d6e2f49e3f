//! Runs `../scenario.json` with the published crate.

mod callbacks;

use std::collections::HashMap;
use std::env;
use std::error::Error;
use std::path::Path;

use serde::{Deserialize, Serialize};
use twilio_rust_openapi::apis;
use twilio_rust_openapi::apis::api20100401_outgoing_caller_id_api as caller_ids;
use twilio_rust_openapi::apis::api20100401_validation_request_api as validation_requests;
use twilio_rust_openapi::apis::configuration::Configuration;
use twilio_rust_openapi::models::ApiPeriodV2010PeriodAccountPeriodOutgoingCallerId as CallerId;
use url::Url;

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

#[derive(Deserialize)]
struct Scenario {
    steps: Vec<Step>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Step {
    r#do: String,
    of: Option<String>,
    sid: Option<String>,
    phone_number: Option<String>,
    friendly_name: Option<String>,
    call_delay: Option<i32>,
    status_callback_method: Option<String>,
    method: Option<String>,
    verification_status: Option<String>,
    page_size: Option<i32>,
    auth_token: Option<String>,
    finds: Vec<String>,
    pages: usize,
    refused: Option<Refusal>,
}

#[derive(Clone, Debug, Deserialize, PartialEq)]
struct Refusal {
    status: u16,
    code: u64,
}

/// What is known about a number: its call and code once created, and its caller ID's Sid once
/// listed.
#[derive(Clone, Default)]
struct Known {
    call_sid: String,
    code: String,
    sid: String,
}

struct Player {
    url: String,
    account_sid: String,
    auth_token: String,
    known: HashMap<String, Known>,
    callbacks: callbacks::Receiver,
}

/// Why a step failed.
enum Failure {
    /// The crate's error for a response of the server.
    Refused(Refusal),
    Other(Box<dyn Error>),
}

impl<E: Into<Box<dyn Error>>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Other(error.into())
    }
}

/// The status and the code of the crate's error.
fn refusal<E: Serialize + std::fmt::Debug + 'static>(error: apis::Error<E>) -> Failure {
    let apis::Error::ResponseError(response) = error else {
        return Failure::Other(error.into());
    };
    let entity = serde_json::to_value(&response.entity).unwrap_or_default();
    match entity["code"].as_u64() {
        Some(code) => Failure::Refused(Refusal { status: response.status.as_u16(), code }),
        None => Failure::Other(format!("an error without a code: {response:?}").into()),
    }
}

macro_rules! check {
    ($condition:expr, $($message:tt)+) => {
        if !$condition {
            return Err(format!($($message)+).into());
        }
    };
}

impl Player {
    async fn play(&mut self, step: &Step) -> Outcome {
        let token = step.auth_token.as_ref().unwrap_or(&self.auth_token);
        let configuration = Configuration {
            base_path: self.url.clone(),
            basic_auth: Some((self.account_sid.clone(), Some(token.clone()))),
            ..Configuration::default()
        };
        let played = match step.r#do.as_str() {
            "create" => self.create(&configuration, step).await,
            "validate" => self.validate(step).await,
            "busy" => self.phone(step, "busy", &[]).await,
            "callback" => self.callback(step).await,
            "list" => self.list(&configuration, step).await,
            "fetch" => self.fetch(&configuration, step).await,
            "rename" => self.rename(&configuration, step).await,
            "delete" => self.delete(&configuration, step).await,
            unknown => Err(format!("there is no step {unknown:?}").into()),
        };
        match (played, &step.refused) {
            (Ok(()), None) => Ok(()),
            (Ok(()), Some(_)) => Err("this was not refused".into()),
            (Err(Failure::Refused(found)), Some(expected)) if found == *expected => Ok(()),
            (Err(Failure::Refused(found)), _) => Err(format!("refused: {found:?}").into()),
            (Err(Failure::Other(error)), _) => Err(error),
        }
    }

    fn known(&self, step: &Step) -> Known {
        let number = step.of.as_ref();
        number.and_then(|number| self.known.get(number)).cloned().unwrap_or_default()
    }

    async fn create(&mut self, configuration: &Configuration, step: &Step) -> Result<(), Failure> {
        let phone_number = step.phone_number.clone().unwrap_or_default();
        let params = validation_requests::CreateValidationRequestParams {
            account_sid: self.account_sid.clone(),
            phone_number: phone_number.clone(),
            friendly_name: step.friendly_name.clone(),
            call_delay: step.call_delay,
            extension: None,
            status_callback: step.status_callback_method.as_ref().map(|_| self.callbacks.url()),
            status_callback_method: step.status_callback_method.clone(),
        };
        let created = validation_requests::create_validation_request(configuration, params);
        let request = created.await.map_err(refusal)?;
        check!(request.account_sid.flatten().as_ref() == Some(&self.account_sid), "account_sid");
        check!(request.phone_number.flatten().as_ref() == Some(&phone_number), "phone_number");
        check!(request.friendly_name.flatten() == step.friendly_name, "friendly_name");
        let call_sid = request.call_sid.flatten().unwrap_or_default();
        let code = request.validation_code.flatten().unwrap_or_default();
        check!(is_sid("CA", &call_sid), "call_sid: {call_sid:?}");
        check!(code.len() == 6 && code.parse::<u32>().is_ok(), "validation_code: {code:?}");
        self.known.insert(phone_number, Known { call_sid, code, ..Known::default() });
        Ok(())
    }

    async fn validate(&self, step: &Step) -> Result<(), Failure> {
        self.phone(step, "answer", &[]).await?;
        self.phone(step, "digits", &[("Digits", &self.known(step).code)]).await
    }

    /// Simulates the phone through the control surface, which the crate has no function for.
    async fn phone(&self, step: &Step, action: &str, form: &[(&str, &str)]) -> Result<(), Failure> {
        let call_sid = self.known(step).call_sid;
        let response = reqwest::Client::new()
            .post(format!("{}/_callerid/calls/{call_sid}/{action}", self.url))
            .basic_auth(&self.account_sid, Some(&self.auth_token))
            .form(form)
            .send()
            .await?;
        let status = response.status();
        check!(status == 200, "{action}: {status} {}", response.text().await?);
        Ok(())
    }

    /// The crate has no validator for signatures, so this checks only that there is one.
    async fn callback(&self, step: &Step) -> Result<(), Failure> {
        let callback = self.callbacks.of(&self.known(step).call_sid).await?;
        check!(Some(&callback.method) == step.method.as_ref(), "method: {}", callback.method);
        check!(callback.signature.len() == 28, "signature: {:?}", callback.signature);
        let said = |name: &str| callback.parameters.get(name);
        check!(said("from").is_some_and(|from| from == "rust"), "the URL's own query is lost");
        check!(said("AccountSid") == Some(&self.account_sid), "AccountSid");
        check!(said("To") == step.of.as_ref(), "To: {:?}", said("To"));
        let status = said("VerificationStatus");
        check!(status == step.verification_status.as_ref(), "VerificationStatus: {status:?}");
        let succeeded = status.is_some_and(|status| status == "success");
        check!(said("OutgoingCallerIdSid").is_some() == succeeded, "OutgoingCallerIdSid");
        Ok(())
    }

    async fn list(&mut self, configuration: &Configuration, step: &Step) -> Result<(), Failure> {
        let mut params = caller_ids::ListOutgoingCallerIdParams {
            account_sid: self.account_sid.clone(),
            phone_number: step.phone_number.clone(),
            friendly_name: step.friendly_name.clone(),
            page_size: step.page_size,
            page: None,
            page_token: None,
        };
        let mut found = Vec::new();
        let mut pages = 0;
        loop {
            let listed = caller_ids::list_outgoing_caller_id(configuration, params.clone());
            let page = listed.await.map_err(refusal)?;
            pages += 1;
            for caller_id in page.outgoing_caller_ids.unwrap_or_default() {
                let number = caller_id.phone_number.clone().flatten().unwrap_or_default();
                let sid = self.check_caller_id(&caller_id, &number)?;
                self.known.entry(number.clone()).or_default().sid = sid;
                found.push(number);
            }
            // The crate does not follow page addresses, so this copies the next page's query into
            // the parameters.
            let Some(next) = page.next_page_uri.flatten() else { break };
            let next = Url::parse(&self.url)?.join(&next)?;
            let query: HashMap<_, _> = next.query_pairs().into_owned().collect();
            params.page = query.get("Page").and_then(|page| page.parse().ok());
            params.page_token = query.get("PageToken").cloned();
        }
        found.sort();
        check!(found == step.finds, "found {found:?}");
        check!(pages == step.pages, "{pages} pages");
        Ok(())
    }

    async fn fetch(&self, configuration: &Configuration, step: &Step) -> Result<(), Failure> {
        let params = caller_ids::FetchOutgoingCallerIdParams {
            account_sid: self.account_sid.clone(),
            sid: step.sid.clone().unwrap_or_else(|| self.known(step).sid),
        };
        let fetched = caller_ids::fetch_outgoing_caller_id(configuration, params).await;
        self.check_named(&fetched.map_err(refusal)?, step)
    }

    async fn rename(&self, configuration: &Configuration, step: &Step) -> Result<(), Failure> {
        let params = caller_ids::UpdateOutgoingCallerIdParams {
            account_sid: self.account_sid.clone(),
            sid: self.known(step).sid,
            friendly_name: step.friendly_name.clone(),
        };
        let renamed = caller_ids::update_outgoing_caller_id(configuration, params).await;
        self.check_named(&renamed.map_err(refusal)?, step)
    }

    async fn delete(&self, configuration: &Configuration, step: &Step) -> Result<(), Failure> {
        let params = caller_ids::DeleteOutgoingCallerIdParams {
            account_sid: self.account_sid.clone(),
            sid: self.known(step).sid,
        };
        caller_ids::delete_outgoing_caller_id(configuration, params).await.map_err(refusal)
    }

    fn check_named(&self, caller_id: &CallerId, step: &Step) -> Result<(), Failure> {
        self.check_caller_id(caller_id, step.of.as_deref().unwrap_or_default())?;
        let name = caller_id.friendly_name.clone().flatten();
        check!(name == step.friendly_name, "friendly_name: {name:?}");
        Ok(())
    }

    /// The caller ID's Sid, if the caller ID is as expected.
    fn check_caller_id(&self, caller_id: &CallerId, number: &str) -> Outcome<String> {
        let sid = caller_id.sid.clone().flatten().unwrap_or_default();
        check!(is_sid("PN", &sid), "sid: {sid:?}");
        let text = |field: &Option<Option<String>>| field.clone().flatten().unwrap_or_default();
        check!(text(&caller_id.account_sid) == self.account_sid, "account_sid");
        check!(text(&caller_id.phone_number) == number, "phone_number of {sid}");
        check!(text(&caller_id.date_created).ends_with(" +0000"), "date_created of {sid}");
        check!(text(&caller_id.date_updated).ends_with(" +0000"), "date_updated of {sid}");
        Ok(sid)
    }
}

fn is_sid(prefix: &str, text: &str) -> bool {
    text.len() == 34
        && text.strip_prefix(prefix).is_some_and(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome {
    let scenario = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("scenario.json");
    let Scenario { steps } = serde_json::from_slice(&std::fs::read(scenario)?)?;
    let mut player = Player {
        url: env::var("CALLERID_URL")?,
        account_sid: env::var("CALLERID_ACCOUNT_SID")?,
        auth_token: env::var("CALLERID_AUTH_TOKEN")?,
        known: HashMap::new(),
        callbacks: callbacks::Receiver::start()?,
    };
    let client = "twilio-rust-openapi 1.0.0 for Rust";
    for (index, step) in steps.iter().enumerate() {
        let played = player.play(step).await;
        played.map_err(|error| format!("{client}, step {}: {error}: {step:?}", index + 1))?;
    }
    println!("{client}: {} steps passed", steps.len());
    Ok(())
}
