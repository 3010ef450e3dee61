"""The room's registration with Django."""

from django.apps import AppConfig


class TrainingConfig(AppConfig):
    """Training: a made town, a simulated fleet."""

    name = "apps.training"
    label = "training"
    verbose_name = "Training"
