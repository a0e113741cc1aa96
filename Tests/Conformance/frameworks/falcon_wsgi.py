"""Falcon over WSGI."""

import falcon


class Things:
    def on_get(self, request, response, number):
        response.media = {"number": number, "query": request.params, "remote": request.remote_addr}

    def on_post(self, request, response, number):
        response.media = {"size": len(request.stream.read()), "number": number}


class Lines:
    def on_get(self, request, response):
        response.content_type = falcon.MEDIA_TEXT
        response.stream = (b"%d\n" % number for number in range(1_000))


class Failure:
    def on_get(self, request, response, token):
        raise RuntimeError(f"a view fails {token}")


app = falcon.App()
app.add_route("/things/{number:int}", Things())
app.add_route("/lines", Lines())
app.add_route("/failure/{token}", Failure())
