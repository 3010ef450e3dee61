"""What the office reads of customers, as JSON."""

from rest_framework import serializers

from apps.customers.selectors import CustomersDay


class CustomersDaySerializer(serializers.Serializer[CustomersDay]):
    """What customers of a day asked, and were told."""

    orders = serializers.IntegerField()
    asked_on_page = serializers.IntegerField(
        help_text="Questions where an order is, by its tracking page."
    )
    asked_by_reply = serializers.IntegerField(help_text="The same, by a reply.")
    asked_per_100 = serializers.FloatField(
        allow_null=True, help_text="Both, per 100 orders; null without orders."
    )
    messages = serializers.DictField(
        child=serializers.IntegerField(), help_text="Messages sent, by kind."
    )
