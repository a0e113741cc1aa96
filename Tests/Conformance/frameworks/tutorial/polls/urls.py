from django.urls import path

from . import extras, views

app_name = "polls"
urlpatterns = [
    path("", views.IndexView.as_view(), name="index"),
    path("<int:pk>/", views.DetailView.as_view(), name="detail"),
    path("<int:pk>/results/", views.ResultsView.as_view(), name="results"),
    path("<int:question_id>/vote/", views.vote, name="vote"),
    path("upload/", extras.upload, name="upload"),
    path("stream/", extras.stream, name="stream"),
    path("events/", extras.events, name="events"),
    path("file/", extras.file, name="file"),
    path("concurrent/", extras.concurrent, name="concurrent"),
    path("failure/", extras.failure, name="failure"),
    path("address/", extras.address, name="address"),
]
