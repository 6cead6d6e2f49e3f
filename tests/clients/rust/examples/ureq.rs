use std::env;
use std::error::Error;

use callerid_client::{Client, ClientRequest};
use callerid_core::{AccountSid, ApiVersion, AuthToken, Credentials, NewCallerId, PhoneNumber};

fn main() -> Result<(), Box<dyn Error>> {
    let credentials = Credentials {
        sid: AccountSid::parse(&env::var("CALLERID_ACCOUNT_SID")?)?,
        auth_token: AuthToken::new(&env::var("CALLERID_AUTH_TOKEN")?)?,
    };
    let client = Client::new(credentials, &env::var("CALLERID_URL")?)?;
    let client = client.with_version(ApiVersion::V2010);

    let number = PhoneNumber::parse("(415) 867-5309")?;
    let request = send(&client.create(&NewCallerId::new(number))?)?;
    println!("{:?} {}", request.call_sid, request.validation_code.expose());
    Ok(())
}

fn send<T>(request: &ClientRequest<T>) -> Result<T, Box<dyn Error>> {
    // The client reads 4xx responses itself.
    let agent = ureq::Agent::config_builder().http_status_as_error(false).build();
    let response = ureq::Agent::from(agent).run(request.to_http()?)?;
    let (head, mut body) = response.into_parts();
    Ok(request.read_http(&ureq::http::Response::from_parts(head, body.read_to_vec()?))?)
}
