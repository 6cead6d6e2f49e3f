//! Validates a phone number with a running server: requests the call, shows the code, and finds the
//! number in the list once the code has been entered.
//!
//! ```sh
//! export CALLERID_ACCOUNT_SID=AC309475e5fede1b49e100272a8640f438 CALLERID_AUTH_TOKEN=aTokenOfYourOwn2008
//! cargo xtask serve
//! # In another terminal, after the same `export`:
//! cargo run -p callerid-client --example validate -- \
//!     http://127.0.0.1:8008 $CALLERID_ACCOUNT_SID $CALLERID_AUTH_TOKEN 415-867-5309
//! ```
//!
//! The server's page shows the phone.

use std::env;
use std::error::Error;
use std::io::{self, Write as _};

use callerid_client::{Client, ClientRequest};
use callerid_core::{
    AccountSid, AuthToken, Credentials, Filter, NewCallerId, OutgoingCallerId, PageRequest,
    PhoneNumber, ValidationRequest,
};

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = env::args().collect();
    let [_, server, sid, auth_token, number] = args.as_slice() else {
        return Err("usage: validate <server> <account Sid> <auth token> <phone number>".into());
    };
    let credentials =
        Credentials { sid: AccountSid::parse(sid)?, auth_token: AuthToken::new(auth_token)? };
    let client = Client::new(credentials, server)?;

    let caller_id = validate(&client, PhoneNumber::parse(number)?, |request| {
        let (number, code) = (request.phone_number.national(), &request.validation_code);
        writeln!(io::stdout(), "Answer {number}, key {}, then press Enter.", code.expose())?;
        io::stdin().read_line(&mut String::new())?;
        Ok(())
    })?;
    writeln!(io::stdout(), "{} is {}.", caller_id.phone_number, caller_id.sid)?;
    Ok(())
}

/// Requests a validation call, and fetches the caller ID after `key_code` has entered its code.
pub(crate) fn validate(
    client: &Client,
    number: PhoneNumber,
    key_code: impl FnOnce(&ValidationRequest) -> Result<(), Box<dyn Error>>,
) -> Result<OutgoingCallerId, Box<dyn Error>> {
    let request = send(&client.create(&NewCallerId::new(number))?)?;
    key_code(&request)?;
    let filter = Filter { phone_number: Some(number), ..Filter::default() };
    let page = send(&client.list(&filter, PageRequest::default()))?.page;
    page.items.into_iter().next().ok_or_else(|| "the code was not keyed".into())
}

/// Sends a request with ureq, configured not to treat 4xx responses as errors.
fn send<T>(request: &ClientRequest<T>) -> Result<T, Box<dyn Error>> {
    let config = ureq::Agent::config_builder().http_status_as_error(false).build();
    let response = ureq::Agent::from(config).run(request.to_http()?)?;
    let (head, mut body) = response.into_parts();
    Ok(request.read_http(&ureq::http::Response::from_parts(head, body.read_to_vec()?))?)
}
