use std::env;
use std::error::Error;

use callerid_client::{Client, ClientRequest};
use callerid_core::{AccountSid, ApiVersion, AuthToken, Credentials, NewCallerId, PhoneNumber};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let credentials = Credentials {
        sid: AccountSid::parse(&env::var("CALLERID_ACCOUNT_SID")?)?,
        auth_token: AuthToken::new(&env::var("CALLERID_AUTH_TOKEN")?)?,
    };
    let client = Client::new(credentials, &env::var("CALLERID_URL")?)?;
    let client = client.with_version(ApiVersion::V2010);

    let http = reqwest::Client::new();
    let number = PhoneNumber::parse("(415) 867-5309")?;
    let request = send(&http, &client.create(&NewCallerId::new(number))?).await?;
    println!("{:?} {}", request.call_sid, request.validation_code.expose());
    Ok(())
}

async fn send<T>(http: &reqwest::Client, request: &ClientRequest<T>) -> Result<T, Box<dyn Error>> {
    let response = http.execute(request.to_http()?.try_into()?).await?;
    let status = response.status().as_u16();
    let content_type = response.headers().get("content-type").cloned();
    let content_type = content_type.as_ref().and_then(|value| value.to_str().ok());
    Ok(request.read(status, content_type, &response.bytes().await?)?)
}
