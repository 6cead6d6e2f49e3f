//! The projects of `docs/testing/` in languages that nothing else here needs. A project is skipped
//! if its language's tool is absent, or cannot download the packages.

use std::path::Path;
use std::process::Command;

use crate::{Outcome, copy_folder, root, run};

/// A project, and the commands of its language.
pub(crate) struct Project {
    /// Its folder.
    name: &'static str,
    /// Downloads the packages.
    download: &'static str,
    /// Runs the test.
    test: &'static str,
}

pub(crate) const GO: Project =
    Project { name: "go", download: "go mod download", test: "go test -count=1 ./..." };

pub(crate) const JAVA: Project = Project {
    name: "java",
    download: "mvn --batch-mode --quiet dependency:resolve",
    test: "mvn --batch-mode --quiet test",
};

pub(crate) const PHP: Project = Project {
    name: "php",
    download: "composer install --no-interaction --quiet",
    test: "php vendor/bin/phpunit CallerIdTest.php",
};

pub(crate) const RUBY: Project = Project {
    name: "ruby",
    download: "bundle install --quiet",
    test: "bundle exec ruby test_callerid.rb",
};

impl Project {
    /// Runs the project with this server program in a copy, because tools write beside its files.
    pub(crate) fn play(&self, target: &Path, server: &Path) -> Outcome {
        let Self { name, download, test } = self;
        let folder = target.join(name);
        copy_folder(&root().join("docs/testing").join(name), &folder)?;
        let command = |line: &str| {
            let mut words = line.split(' ');
            let mut command = Command::new(words.next().unwrap_or_default());
            command.args(words).current_dir(&folder).env("CALLERID_PROGRAM", server);
            // Bundler would install for the whole system.
            command.env("BUNDLE_PATH", "vendor");
            command
        };
        match command(download).output() {
            Ok(output) if output.status.success() => run(&mut command(test))?,
            Ok(_) => eprintln!("docs/testing/{name}: skipped, because `{download}` fails"),
            Err(error) => eprintln!("docs/testing/{name}: skipped, `{download}`: {error}"),
        }
        Ok(())
    }
}
