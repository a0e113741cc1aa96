from django.db.models import F
from django.http import HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views import generic

from .models import Choice, Question


def published():
    return Question.objects.filter(pub_date__lte=timezone.now())


class IndexView(generic.ListView):
    template_name = "polls/index.html"
    context_object_name = "latest_question_list"

    def get_queryset(self):
        return published().order_by("-pub_date")[:5]


class DetailView(generic.DetailView):
    model = Question
    template_name = "polls/detail.html"

    def get_queryset(self):
        return published()

    def get_context_data(self, **kwargs):
        return super().get_context_data(choices=self.object.choice_set.all(), **kwargs)


class ResultsView(DetailView):
    template_name = "polls/results.html"

    def get_context_data(self, **kwargs):
        total = sum(choice.votes for choice in self.object.choice_set.all())
        return super().get_context_data(total=total, **kwargs)


def vote(request, question_id):
    question = get_object_or_404(published(), pk=question_id)
    try:
        choice = question.choice_set.get(pk=request.POST["choice"])
    except (KeyError, ValueError, Choice.DoesNotExist):
        context = {
            "question": question,
            "choices": question.choice_set.all(),
            "error_message": "You didn’t select a choice.",
        }
        return render(request, "polls/detail.html", context)
    choice.votes = F("votes") + 1
    choice.save()
    return HttpResponseRedirect(reverse("polls:results", args=(question.id,)))
