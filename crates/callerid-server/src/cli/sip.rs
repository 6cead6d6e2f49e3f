//! The options of `callerid serve` that let real phones ring, over SIP. docs/sip.md explains them.

use std::fs;
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use callerid_core::PhoneNumber;
use clap::Args;

use super::limits::at_least_one;
use super::{CommandError, variable};
use crate::line::sip::{OpenSipLine, Prompts, RtpPortRange, SipOptions, TrunkAddress, TrunkCheck};

const PASSWORD_VARIABLE: &str = "CALLERID_SIP_PASSWORD";

#[derive(Debug, Args)]
#[command(next_help_heading = "Real phones, over SIP")]
pub(super) struct SipArguments {
    /// A trunk that connects calls to real phones, like sip:user@sip.example.com;transport=tls; the
    /// password is in CALLERID_SIP_PASSWORD. Repeatable: the next one is tried if one fails
    #[arg(long, value_name = "URI", env = "CALLERID_SIP_TRUNK", value_delimiter = ',')]
    sip_trunk: Vec<TrunkAddress>,
    /// The number that calls come from, which the trunk must let you use
    #[arg(long, value_name = "NUMBER", env = "CALLERID_SIP_CALLER", requires = "sip_trunk")]
    sip_caller: Option<PhoneNumber>,
    /// A file with the trunk's password; with several lines, one for each trunk
    #[arg(long, value_name = "FILE", env = "CALLERID_SIP_PASSWORD_FILE", requires = "sip_trunk")]
    sip_password_file: Option<PathBuf>,
    /// Register with the trunks, for those that want it
    #[arg(long, requires = "sip_trunk")]
    sip_register: bool,
    /// Do not ask trunks whether they are there, for those that do not answer OPTIONS
    #[arg(long, requires = "sip_trunk", conflicts_with = "sip_register")]
    sip_no_options: bool,
    /// Maximum number of calls at once over the trunks
    #[arg(
        long, value_name = "NUMBER", default_value_t = 10, requires = "sip_trunk",
        value_parser = at_least_one(),
    )]
    sip_max_calls: usize,
    /// Maximum number of calls that begin within a second
    #[arg(
        long, value_name = "NUMBER", default_value_t = 1, requires = "sip_trunk",
        value_parser = at_least_one(),
    )]
    sip_calls_per_second: usize,
    /// How long a phone rings
    #[arg(
        long, value_name = "SECONDS", default_value_t = 30, requires = "sip_trunk",
        value_parser = clap::value_parser!(u64).range(1..=120),
    )]
    sip_ring: u64,
    /// How long an answered call may last, whatever happens
    #[arg(
        long, value_name = "SECONDS", default_value_t = 60, requires = "sip_trunk",
        value_parser = clap::value_parser!(u64).range(1..=600),
    )]
    sip_longest_call: u64,
    /// How long an answered call may hear nothing. Longer than any prompt, because a phone may send
    /// nothing while nobody speaks
    #[arg(
        long, value_name = "SECONDS", default_value_t = 30, requires = "sip_trunk",
        value_parser = clap::value_parser!(u64).range(1..=600),
    )]
    sip_silence: u64,
    /// The address and UDP port for SIP; sound arrives at the same address
    #[arg(
        long,
        value_name = "ADDRESS",
        env = "CALLERID_SIP_BIND",
        default_value = "0.0.0.0:5060",
        requires = "sip_trunk"
    )]
    sip_bind: SocketAddr,
    /// This machine's address as the trunks see it, if a NAT is in between
    #[arg(
        long,
        value_name = "ADDRESS",
        env = "CALLERID_SIP_PUBLIC_ADDRESS",
        requires = "sip_trunk"
    )]
    sip_public_address: Option<IpAddr>,
    /// The UDP ports for sound; each call takes an even one
    #[arg(
        long, value_name = "FIRST-LAST", default_value = RtpPortRange::DEFAULT,
        requires = "sip_trunk",
    )]
    rtp_ports: RtpPortRange,
    /// A directory with what is said in calls, in place of English: enter-code.ulaw and the others, 8
    /// kHz µ-law
    #[arg(long, value_name = "DIR", env = "CALLERID_SIP_PROMPTS", requires = "sip_trunk")]
    sip_prompts: Option<PathBuf>,
    /// A PEM file with the certificates that trunks' are checked against, instead of the system's
    #[arg(long, value_name = "FILE", env = "CALLERID_SIP_CA", requires = "sip_trunk")]
    sip_ca: Option<PathBuf>,
}

impl SipArguments {
    /// The settings of the line; `None` without a trunk.
    pub(super) fn to_options(&self) -> Result<Option<SipOptions>, CommandError> {
        if self.sip_trunk.is_empty() {
            return Ok(None);
        }
        let caller = self.sip_caller.ok_or(
            "--sip-trunk needs --sip-caller: the number that calls come from, like +14155550100",
        )?;
        let check = match (self.sip_register, self.sip_no_options) {
            (true, _) => TrunkCheck::Register,
            (_, true) => TrunkCheck::None,
            _ => TrunkCheck::Options,
        };
        if check == TrunkCheck::Register
            && let Some(trunk) = self.sip_trunk.iter().find(|trunk| trunk.user().is_none())
        {
            return Err(format!("{trunk} has no user to register: expected sip:user@…").into());
        }
        Ok(Some(SipOptions {
            trunks: self.with_passwords()?,
            check,
            caller,
            max_calls: self.sip_max_calls,
            calls_per_second: self.sip_calls_per_second,
            bind: self.sip_bind,
            rtp_ports: self.rtp_ports,
            public_address: self.sip_public_address,
            authorities: self.authorities()?,
            prompts: match &self.sip_prompts {
                Some(directory) => Prompts::read(directory)?,
                None => Prompts::ENGLISH,
            },
            ring: Duration::from_secs(self.sip_ring),
            longest_call: Duration::from_secs(self.sip_longest_call),
            silence: Duration::from_secs(self.sip_silence),
        }))
    }

    /// The trunks, each with its password if it has a user.
    fn with_passwords(&self) -> Result<Vec<(TrunkAddress, Option<String>)>, CommandError> {
        let passwords = match &self.sip_password_file {
            Some(file) => read(file)?.lines().map(ToOwned::to_owned).collect(),
            None => Vec::from_iter(variable(PASSWORD_VARIABLE)?),
        };
        let mut trunks = Vec::new();
        for (index, trunk) in self.sip_trunk.iter().enumerate() {
            let own = variable(&format!("{PASSWORD_VARIABLE}_{}", index + 1))?;
            let shared = match passwords.as_slice() {
                [one] => Some(one),
                several => several.get(index),
            };
            let password = own.or_else(|| shared.cloned()).filter(|it| !it.is_empty());
            if trunk.user().is_some() && password.is_none() {
                return Err(format!(
                    "{trunk} has a user and no password: set {PASSWORD_VARIABLE}, or \
                     --sip-password-file to a file that contains it"
                )
                .into());
            }
            trunks.push((trunk.clone(), password));
        }
        Ok(trunks)
    }

    /// The certificates that trunks' are checked against, if a trunk has one.
    fn authorities(&self) -> Result<Option<Vec<u8>>, CommandError> {
        if !self.sip_trunk.iter().any(TrunkAddress::is_tls) {
            return Ok(None);
        }
        let file = self.sip_ca.clone().or_else(|| openssl_probe::probe().cert_file);
        let file = file.ok_or(
            "the system has no file of certificates to check a trunk's against: --sip-ca names one",
        )?;
        Ok(Some(read(&file)?.into_bytes()))
    }
}

/// Opens the line's socket.
pub(super) async fn open(options: SipOptions) -> Result<OpenSipLine, CommandError> {
    let bind = options.bind;
    OpenSipLine::open(options).await.map_err(|error| match error.kind() {
        ErrorKind::AddrInUse => {
            format!("{bind} is in use by another program; --sip-bind takes another address").into()
        }
        _ => CommandError(format!("cannot receive SIP on {bind}: {error}; see --sip-bind")),
    })
}

fn read(path: &Path) -> Result<String, CommandError> {
    fs::read_to_string(path).map_err(|error| CommandError(format!("{}: {error}", path.display())))
}
