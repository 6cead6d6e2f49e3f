use std::env;
use std::error::Error;

use twilio_rust_openapi::apis::api20100401_validation_request_api::{
    CreateValidationRequestParams, create_validation_request,
};
use twilio_rust_openapi::apis::configuration::Configuration;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let account_sid = env::var("CALLERID_ACCOUNT_SID")?;
    let configuration = Configuration {
        base_path: env::var("CALLERID_URL")?,
        basic_auth: Some((account_sid.clone(), env::var("CALLERID_AUTH_TOKEN").ok())),
        ..Configuration::default()
    };

    let params = CreateValidationRequestParams {
        account_sid,
        phone_number: "+14158675309".into(),
        friendly_name: None,
        call_delay: None,
        extension: None,
        status_callback: None,
        status_callback_method: None,
    };
    let request = create_validation_request(&configuration, params).await?;
    println!("{:?} {:?}", request.call_sid, request.validation_code);
    Ok(())
}
