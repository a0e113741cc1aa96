"""What the tutorial leaves out and servers get wrong: uploads, streams, files, asynchronous views."""

import asyncio
import hashlib

from django.conf import settings
from django.http import FileResponse, JsonResponse, StreamingHttpResponse
from django.views.decorators.csrf import csrf_exempt


@csrf_exempt
def upload(request):
    uploaded = request.FILES["document"]
    digest = hashlib.sha256()
    for chunk in uploaded.chunks():
        digest.update(chunk)
    return JsonResponse({"name": uploaded.name, "size": uploaded.size, "sha256": digest.hexdigest(), **request.POST})


def stream(request):
    if not request.META.get("SERVER_SOFTWARE", "").startswith("asgi"):
        return StreamingHttpResponse((f"{number}\n" for number in range(1_000)), content_type="text/plain")
    return StreamingHttpResponse(numbers(), content_type="text/plain")


async def numbers():
    for number in range(1_000):
        yield f"{number}\n"
        if number % 100 == 0:
            await asyncio.sleep(0)


async def events(request):
    return StreamingHttpResponse(ticks(), content_type="text/event-stream")


async def ticks():
    number = 0
    while True:
        yield f"data: {number}\n\n"
        number += 1
        await asyncio.sleep(0.01)


def file(request):
    return FileResponse(open(settings.MEDIA_ROOT / "document.bin", "rb"), as_attachment=True)


async def concurrent(request):
    results = await asyncio.gather(*[asyncio.sleep(0.001, number) for number in range(10)])
    return JsonResponse({"results": results})


def failure(request):
    raise RuntimeError(f"a view fails {request.GET['token']}")


def address(request):
    return JsonResponse({"absolute": request.build_absolute_uri("/x/?y=1"), "secure": request.is_secure()})
