from datetime import timedelta

from django.db import migrations
from django.utils import timezone

# Those of Portico's own polls, with the same numbers and days.
QUESTIONS = {
    "What’s new?": ["Not much", "The sky", "Just hacking again"],
    "Tabs or spaces?": ["Tabs", "Spaces", "Whatever the formatter says"],
    "When do you write the tests?": ["Before the code", "With the code", "After the bug report"],
    "Which hour is your best?": ["Early morning", "Late morning", "Afternoon", "After midnight"],
    "How should a server restart?": ["Without anyone noticing", "Quickly", "Never"],
}


def add_questions(apps, schema_editor):
    question_model = apps.get_model("polls", "Question")
    choice_model = apps.get_model("polls", "Choice")
    for index, (text, choices) in enumerate(QUESTIONS.items()):
        published = timezone.now() - timedelta(days=len(QUESTIONS) - index)
        question = question_model.objects.create(question_text=text, pub_date=published)
        for choice in choices:
            choice_model.objects.create(question=question, choice_text=choice)


class Migration(migrations.Migration):
    dependencies = [("polls", "0001_initial")]
    operations = [migrations.RunPython(add_questions, migrations.RunPython.noop)]
