"""One page from a template through Django's usual middleware, under WSGI and ASGI."""

import django
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.shortcuts import render
from django.urls import path

settings.configure(
    DEBUG=False,
    SECRET_KEY="a-key-of-a-benchmark-that-protects-nothing",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ],
    TEMPLATES=[{
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "OPTIONS": {"loaders": [("django.template.loaders.locmem.Loader", {"hello.html": (
            "<!DOCTYPE html><html lang=en><title>{{ title }}</title><ul>"
            "{% for name in names %}<li>Hello, {{ name }}!</li>{% endfor %}</ul></html>")})]},
    }],
    LOGGING_CONFIG=None,
)
django.setup()

PAGE = {"title": "Hello", "names": ["World", "Moon", "Sun"]}


def hello(request):
    return render(request, "hello.html", PAGE)


async def hello_async(request):
    return render(request, "hello.html", PAGE)


urlpatterns = [path("", hello), path("async", hello_async)]
wsgi = get_wsgi_application()
asgi = get_asgi_application()
