"""What the walks that are test cases share."""

import unittest

from botocore.exceptions import ClientError

from world import reset


class Walk(unittest.TestCase):
    def setUp(self):
        reset()

    def refuses(self, code, call, **arguments):
        with self.assertRaises(ClientError) as caught:
            call(**arguments)
        self.assertEqual(caught.exception.response["Error"]["Code"], code, caught.exception)
        return caught.exception.response
