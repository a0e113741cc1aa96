from datetime import timedelta

from django.db import migrations
from django.utils import timezone

QUESTIONS = {
    "What do you read first in the morning?": ["A newspaper", "Messages", "A book", "Nothing"],
    "How do you get to work?": ["On foot", "By bicycle", "By train", "By car"],
    "Which season suits you best?": ["Spring", "Summer", "Autumn", "Winter"],
    "Tea or coffee?": ["Tea", "Coffee", "Both", "Neither"],
    "Where would you rather live?": ["By the sea", "In the mountains", "In a city", "In a village"],
    "How many languages do you speak?": ["One", "Two", "Three", "More"],
}


def add_questions(apps, schema_editor):
    question_model = apps.get_model("polls", "Question")
    choice_model = apps.get_model("polls", "Choice")
    for days, (text, choices) in enumerate(QUESTIONS.items(), start=1):
        question = question_model.objects.create(question_text=text, pub_date=timezone.now() - timedelta(days=days))
        for choice in choices:
            choice_model.objects.create(question=question, choice_text=choice)


class Migration(migrations.Migration):
    dependencies = [("polls", "0001_initial")]
    operations = [migrations.RunPython(add_questions, migrations.RunPython.noop)]
