"""Where the providers' calls arrive."""

from django.urls import path

from apps.notifications import views

urlpatterns = [
    path("twilio/reply", views.twilio_reply, name="twilio-reply"),
    path("twilio/status", views.twilio_status, name="twilio-status"),
    path("gateway", views.gateway_hook, name="gateway-hook"),
]
