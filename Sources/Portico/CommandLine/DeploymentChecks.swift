import Config
import Glibc
import Web

/// What should not go into production, with ids like Django's deployment checklist.
struct DeploymentChecks {
    let configuration: Configuration

    init(_ configuration: Configuration) { self.configuration = configuration }

    var messages: [CheckMessage] {
        let settings = configuration.settings
        var messages: [CheckMessage] = []
        if settings.debug {
            messages.append(
                CheckMessage(
                    "deploy.E001", .error, "debug is on: error pages would show the site's insides",
                    hint: "set debug: false for this environment"))
        }
        if let key = settings.secretKey {
            if !SecretKey(key.text).isStrong {
                messages.append(
                    CheckMessage(
                        "deploy.W002", .warning, "secret-key has fewer than 50 characters or hardly varies",
                        hint: "make one: head -c 48 /dev/urandom | base64"))
            }
        } else if !settings.sites.isEmpty {
            messages.append(
                CheckMessage(
                    "deploy.E002", .error, "no secret-key: signed cookies are void after every restart",
                    hint: "secret-key: ${secret:secret_key}, and the secret in /run/secrets/secret_key or $SECRET_KEY"))
        }
        if settings.allowedHosts.contains("*"), !settings.sites.isEmpty {
            messages.append(
                CheckMessage(
                    "deploy.W003", .warning, "allowed-hosts lets every Host through",
                    hint: "name the hosts the sites are reached by"))
        }
        if getuid() == 0 {
            messages.append(
                CheckMessage(
                    "deploy.W004", .warning, "the check runs as root, as the server then might",
                    hint: "run as a user of its own; in an image: USER 65532"))
        }
        return messages
    }
}
