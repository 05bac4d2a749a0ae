"""Objects: all that goes over the wire, a class for each request, answer and message of a stream.

Names of classes and enums are those that the public API publishes, where it has the object. A class
says the fields' names and order on the wire, their types, and a sentence for each; the encoder, the
strictness about fields, the OpenAPI document and the page to browse it are made of these classes.
Absent: how a value comes about, which the routes know.
"""
