//! Receives the server's status callbacks.

use std::collections::HashMap;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use url::{Url, form_urlencoded};

#[derive(Clone)]
pub struct Callback {
    pub method: String,
    pub signature: String,
    /// The parameters of the query and of the body.
    pub parameters: HashMap<String, String>,
}

pub struct Receiver {
    address: String,
    received: Arc<Mutex<HashMap<String, Callback>>>,
}

impl Receiver {
    /// Listens until the program ends.
    pub fn start() -> Result<Self, Box<dyn Error>> {
        let server = tiny_http::Server::http("127.0.0.1:0").map_err(|error| error.to_string())?;
        let address = server.server_addr().to_string();
        let received = Arc::<Mutex<HashMap<String, Callback>>>::default();
        let receiver = Self { address, received: Arc::clone(&received) };
        let base = Url::parse(&receiver.url())?;
        std::thread::spawn(move || {
            for mut request in server.incoming_requests() {
                let mut body = Vec::new();
                if request.as_reader().read_to_end(&mut body).is_err() {
                    continue;
                }
                let mut parameters = HashMap::new();
                if let Ok(url) = base.join(request.url()) {
                    parameters.extend(url.query_pairs().into_owned());
                }
                parameters.extend(form_urlencoded::parse(&body).into_owned());
                let header = |header: &&tiny_http::Header| header.field.equiv("X-Twilio-Signature");
                let signature = request.headers().iter().find(header);
                let signature = signature.map(|header| header.value.to_string());
                let callback = Callback {
                    method: request.method().to_string(),
                    signature: signature.unwrap_or_default(),
                    parameters,
                };
                let call_sid = callback.parameters.get("CallSid").cloned().unwrap_or_default();
                received.lock().unwrap_or_else(PoisonError::into_inner).insert(call_sid, callback);
                // It does not matter to this test if the server does not wait for the response.
                request.respond(tiny_http::Response::empty(204)).unwrap_or_default();
            }
        });
        Ok(receiver)
    }

    /// The URL for callbacks.
    pub fn url(&self) -> String {
        format!("http://{}/callback?from=rust", self.address)
    }

    /// The callback of a call, once it has arrived.
    pub async fn of(&self, call_sid: &str) -> Result<Callback, Box<dyn Error>> {
        for _ in 0..500 {
            let received = self.received.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(callback) = received.get(call_sid) {
                return Ok(callback.clone());
            }
            drop(received);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Err("no callback came within 10 seconds".into())
    }
}
