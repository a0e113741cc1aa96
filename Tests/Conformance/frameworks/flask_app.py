"""Flask: templates, sessions, uploads, streams, files, error handlers, background requests."""

import io

from flask import Flask, abort, jsonify, render_template_string, request, send_file, session, stream_with_context

app = Flask(__name__)
app.secret_key = "only for tests"


@app.get("/hello/<name>")
def hello(name):
    return render_template_string("<p>Hello, {{ name }}!</p>", name=name)


@app.get("/count")
def count():
    session["count"] = session.get("count", 0) + 1
    return jsonify(count=session["count"])


@app.post("/form")
def form():
    document = request.files.get("document")
    return jsonify(
        name=request.form["name"], document=document and [document.filename, len(document.read())], args=request.args
    )


@app.post("/json")
def json():
    return jsonify(request.get_json())


@app.post("/raw")
def raw():
    return request.get_data()


@app.get("/stream")
def stream():
    def lines():
        for number in range(1_000):
            yield f"{number} {request.path}\n"

    return stream_with_context(lines()), {"Content-Type": "text/plain"}


@app.get("/file")
def file():
    return send_file(io.BytesIO(b"f" * 300_000), mimetype="application/octet-stream", conditional=True, etag="tag")


@app.get("/own/<path:name>")
def own(name):
    return send_file(__file__) if name == "source" else abort(418)


@app.get("/failure/<token>")
def failure(token):
    raise RuntimeError(f"a view fails {token}")


@app.get("/url")
def url():
    return jsonify(url=request.url, base=request.base_url, remote=request.remote_addr, host=request.host)
