"""The tutorial of Django REST framework in one file.

    python3 tutorial.py <database>    makes the tables, a user and a token, and prints the token
    gunicorn tutorial:application     serves it, with LATCHKEY_DATABASE in the environment
"""

import os
import sys

import django
from django.conf import settings

DATABASE = sys.argv[1] if __name__ == "__main__" else os.environ["LATCHKEY_DATABASE"]

# What `startproject` writes, and what the tutorial adds to it.
settings.configure(
    ALLOWED_HOSTS=["127.0.0.1"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": DATABASE}},
    INSTALLED_APPS=[
        "django.contrib.admin",
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "django.contrib.messages",
        "django.contrib.staticfiles",
        "rest_framework",
        "rest_framework.authtoken",
    ],
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ],
    REST_FRAMEWORK={
        "DEFAULT_AUTHENTICATION_CLASSES": [
            "rest_framework.authentication.TokenAuthentication",
        ],
    },
    ROOT_URLCONF=__name__,
    SECRET_KEY="benchmark",
    USE_TZ=True,
)
django.setup()

if __name__ == "__main__":
    from django.core.management import call_command

    call_command("migrate", verbosity=0)

    from django.contrib.auth.models import User
    from rest_framework.authtoken.models import Token

    user = User.objects.create_user("ada", password="correct horse battery")
    print(Token.objects.create(user=user).key)
else:
    from django.core.wsgi import get_wsgi_application
    from django.urls import path
    from rest_framework.permissions import IsAuthenticated
    from rest_framework.response import Response
    from rest_framework.views import APIView

    class SecretInfo(APIView):
        permission_classes = [IsAuthenticated]

        def get(self, request):
            return Response({"hello": "World"})

    urlpatterns = [path("", SecretInfo.as_view())]
    application = get_wsgi_application()
