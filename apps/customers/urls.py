"""Where the anonymous door's pages are: short, since they stand in text messages."""

from django.urls import path

from apps.customers.views.looks import colours, logo
from apps.customers.views.moving import pin_picture, reschedule_page
from apps.customers.views.survey import survey_page
from apps.customers.views.tracking import tracking_now, tracking_page

urlpatterns = [
    path("r/<str:code>", reschedule_page, name="reschedule"),
    path("r/<str:code>/picture.svg", pin_picture, name="pin-picture"),
    path("t/<str:code>", tracking_page, name="tracking"),
    path("t/<str:code>/now", tracking_now, name="tracking-now"),
    path("s/<str:code>", survey_page, name="survey"),
    path("look/<uuid:depot_id>.css", colours, name="look-colours"),
    path("look/<uuid:depot_id>.png", logo, name="look-logo"),
]
