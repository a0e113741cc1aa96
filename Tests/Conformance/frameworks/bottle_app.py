"""Bottle: the generator it returns calls start_response late; cookies, forms, static files."""

import os

import bottle

app = bottle.Bottle()


@app.get("/hello/<name>")
def hello(name):
    return bottle.template("<p>Hello, {{name}}!</p>", name=name)


@app.get("/lines")
def lines():
    bottle.response.content_type = "text/plain"
    for number in range(1_000):
        yield f"{number}\n"


@app.post("/form")
def form():
    document = bottle.request.files.get("document")
    bottle.response.set_cookie("seen", "1")
    return {"name": bottle.request.forms.get("name"), "document": [document.filename, len(document.file.read())]}


@app.get("/source")
def source():
    return bottle.static_file(os.path.basename(__file__), root=os.path.dirname(__file__))


@app.get("/failure/<token>")
def failure(token):
    raise RuntimeError(f"a view fails {token}")
