import Gateway

/// What goes into pages.
struct LiveScript: Sendable {
    /// Where pages listen, and where the script is. Answered by the front router itself, in development alone.
    static let eventsPath = "/_portico/live"
    static let scriptPath = "/_portico/live.js"

    /// With a digest of the script (FNV-1a), so that browsers may keep it.
    private static let address: String = {
        let digest = source.utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        return "\(scriptPath)?\(String(digest, radix: 16))"
    }()

    /// What the page was made by: see ``LiveReload``.
    let version: String

    /// The element at the end of a page.
    func element(nonce: String?) -> String {
        let nonce = nonce.map { " nonce=\"\(ErrorPage.escape($0))\"" } ?? ""
        return "<script src=\"\(Self.address)\" data-version=\"\(version)\"\(nonce)></script>\n"
    }

    /// The script. It listens, and loads the page again, or exchanges a style sheet; a page that is loaded again gets what
    /// was typed into its fields, also when a report has stood in its place meanwhile.
    static let source = """
        (() => {
          const element = document.currentScript;
          let version = element.dataset.version;
          // A page about a failure, in the place of the page that somebody typed into.
          const isReport = performance.getEntriesByType("navigation")[0]?.responseStatus >= 500;
          const store = "portico-live " + location.pathname;

          const fields = () => [...document.querySelectorAll("input, textarea, select")].filter(
            (field) => !["password", "hidden", "file", "submit", "button"].includes(field.type));
          const remember = () => {
            const kept = fields().map((field) =>
              field.type === "checkbox" || field.type === "radio" ? field.checked : field.value);
            try { sessionStorage.setItem(store, JSON.stringify(kept)); } catch {}
          };
          const restore = () => {
            let kept;
            try {
              kept = JSON.parse(sessionStorage.getItem(store));
              sessionStorage.removeItem(store);
            } catch {}
            const now = fields();
            if (!kept || kept.length !== now.length) return;
            now.forEach((field, index) => {
              if (typeof kept[index] === "boolean") field.checked = kept[index];
              else field.value = kept[index];
            });
          };
          const reload = () => {
            if (!isReport) remember();
            location.reload();
          };

          const exchange = (path) => {
            const name = path.split("/").pop();
            const sheets = [...document.querySelectorAll("link[rel~=stylesheet]")];
            const named = sheets.filter((sheet) => new URL(sheet.href).pathname.split("/").pop() === name);
            for (const sheet of named.length ? named : sheets) {
              const fresh = sheet.cloneNode();
              const url = new URL(sheet.href);
              url.searchParams.set("live", Date.now());
              fresh.href = url;
              fresh.onload = fresh.onerror = () => sheet.remove();
              sheet.after(fresh);
            }
          };

          let badge;
          const say = (line) => {
            if (!line) { badge?.remove(); badge = undefined; return; }
            if (!badge) {
              badge = document.createElement("div");
              badge.setAttribute("role", "status");
              Object.assign(badge.style, {
                position: "fixed", right: "1rem", bottom: "1rem", zIndex: 2147483647, padding: ".4rem .8rem",
                borderRadius: ".4rem", font: "14px/1.4 system-ui, sans-serif", color: "#fff", background: "#333",
                maxWidth: "80vw", overflow: "hidden", textOverflow: "ellipsis", whiteSpace: "nowrap" });
              document.body.append(badge);
            }
            badge.textContent = line;
          };

          const listen = () => {
            const events = new EventSource("\(eventsPath)");
            const on = (name, act) => events.addEventListener(name, (event) => {
              act(event.data);
              version = event.lastEventId || version;
            });
            on("hello", (data) => {
              element.dataset.listening = "";
              if (data !== version) reload();
            });
            on("page", reload);
            on("style", exchange);
            on("busy", say);
            // Another worker serves: it says by its version whether the page is still good.
            on("moved", () => { events.close(); listen(); });
            events.onerror = () => {
              // Closed for good after an answer that was no stream: somebody else may answer soon.
              if (events.readyState === EventSource.CLOSED) setTimeout(listen, 500);
            };
            addEventListener("pagehide", () => events.close(), { once: true });
          };
          addEventListener("pageshow", (event) => { if (event.persisted) listen(); });
          if (!isReport) restore();
          listen();
        })();

        """
}
