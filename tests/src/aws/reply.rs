//! Answers and refusals, and how each protocol writes a refusal.

use bytes::Bytes;
use serde_json::{Value, json};

use super::call::{Call, Service};
use super::xml::Xml;
pub(crate) use crate::fake::Reply;

const EC2_NAMESPACE: &str = "http://ec2.amazonaws.com/doc/2016-11-15/";
const STS_NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";
const IAM_NAMESPACE: &str = "https://iam.amazonaws.com/doc/2010-05-08/";

/// What a service answers.
pub(crate) type Outcome = Result<Reply, Refused>;

impl Reply {
    /// A document whose root is written already.
    pub(crate) fn xml(document: Xml) -> Self {
        Self::bytes(Bytes::from(document.document())).header("content-type", "text/xml;charset=UTF-8")
    }

    /// The answer of EC2 to this call: `inner` is what follows the request id.
    pub(crate) fn ec2(call: &Call, inner: &Xml) -> Self {
        let mut document = Xml::new();
        let root = format!("{}Response", call.operation);
        document.node_with(&root, &[("xmlns", EC2_NAMESPACE)], |xml| {
            xml.text("requestId", &call.request_id);
            xml.append(inner);
        });
        Self::xml(document)
    }

    /// EC2's answer to what has no other result.
    pub(crate) fn ec2_true(call: &Call) -> Self {
        let mut inner = Xml::new();
        inner.text("return", true);
        Self::ec2(call, &inner)
    }

    /// The answer of STS or IAM to this call: `inner` is the result.
    pub(crate) fn query(call: &Call, inner: &Xml) -> Self {
        let namespace = if call.service == Service::Iam { IAM_NAMESPACE } else { STS_NAMESPACE };
        let mut document = Xml::new();
        document.node_with(&format!("{}Response", call.operation), &[("xmlns", namespace)], |xml| {
            xml.node(&format!("{}Result", call.operation), |result| {
                result.append(inner);
            });
            xml.node("ResponseMetadata", |metadata| {
                metadata.text("RequestId", &call.request_id);
            });
        });
        Self::xml(document)
    }

    /// A JSON body, without the members that are null: services leave them out.
    pub(crate) fn json(body: &Value) -> Self {
        let mut body = body.clone();
        leave_out_null(&mut body);
        Self::bytes(Bytes::from(body.to_string())).header("content-type", "application/json")
    }
}

/// A refusal, in the service's own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) status: u16,
    pub(crate) code: String,
    pub(crate) message: String,
    /// The `Reason` that EBS direct adds, such as `SNAPSHOT_NOT_FOUND`.
    pub(crate) reason: Option<String>,
}

impl Refused {
    /// A refusal with this status and code.
    pub(crate) fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self { status, code: code.to_owned(), message: message.into(), reason: None }
    }

    /// A refusal of the commonest status, 400.
    pub(crate) fn bad(code: &str, message: impl Into<String>) -> Self {
        Self::new(400, code, message)
    }

    /// With the reason of EBS direct.
    pub(crate) fn because(mut self, reason: &str) -> Self {
        self.reason = Some(reason.to_owned());
        self
    }

    /// The service does not have this operation, or not here.
    pub(crate) fn unknown_operation(call: &Call) -> Self {
        let code = match call.service {
            Service::Ec2 | Service::Sts | Service::Iam => "InvalidAction",
            Service::S3 => "NotImplemented",
            Service::Ebs | Service::Marketplace => "UnknownOperationException",
            Service::Ssm | Service::ServiceQuotas => "UnknownOperationException",
        };
        Self::bad(code, format!("The action {} is not valid for this web service.", call.operation))
    }

    /// The caller may not do this.
    pub(crate) fn denied(service: Service, message: impl Into<String>) -> Self {
        let (status, code) = match service {
            Service::Ec2 => (403, "UnauthorizedOperation"),
            Service::Ebs | Service::Marketplace => (403, "AccessDeniedException"),
            Service::Ssm | Service::ServiceQuotas => (400, "AccessDeniedException"),
            Service::Sts | Service::Iam | Service::S3 => (403, "AccessDenied"),
        };
        Self::new(status, code, message)
    }

    /// Too many requests, as this service says it.
    pub(crate) fn throttled(service: Service) -> Self {
        let (status, code) = match service {
            Service::Ec2 => (503, "RequestLimitExceeded"),
            Service::Ebs => (400, "RequestThrottledException"),
            Service::Ssm | Service::Sts => (400, "ThrottlingException"),
            Service::Iam => (400, "Throttling"),
            Service::ServiceQuotas => (400, "TooManyRequestsException"),
            Service::Marketplace => (429, "ThrottlingException"),
            Service::S3 => (503, "SlowDown"),
        };
        Self::new(status, code, "Request limit exceeded.")
    }

    /// The service broke, as it says so itself.
    pub(crate) fn failed(service: Service) -> Self {
        let code = match service {
            Service::Ec2 | Service::S3 | Service::Ssm => "InternalError",
            Service::Sts | Service::Iam => "InternalFailure",
            Service::Ebs | Service::Marketplace => "InternalServerException",
            Service::ServiceQuotas => "ServiceException",
        };
        Self::new(500, code, "An internal error has occurred.")
    }

    /// The service is not there for the moment.
    pub(crate) fn unavailable(service: Service) -> Self {
        let code = match service {
            Service::Ec2 => "Unavailable",
            Service::Ebs | Service::Marketplace | Service::Ssm | Service::ServiceQuotas => {
                "ServiceUnavailableException"
            }
            Service::Sts | Service::Iam | Service::S3 => "ServiceUnavailable",
        };
        Self::new(503, code, "The service is unavailable. Please try again shortly.")
    }

    /// Writes it as the service's protocol does.
    pub(crate) fn render(&self, service: Service, request_id: &str) -> Reply {
        match service {
            Service::Ec2 => self.xml_reply(|xml| {
                xml.node("Response", |xml| {
                    xml.node("Errors", |xml| {
                        xml.node("Error", |xml| self.write(xml));
                    });
                    xml.text("RequestID", request_id);
                });
            }),
            Service::Sts | Service::Iam => self.xml_reply(|xml| {
                xml.node("ErrorResponse", |xml| {
                    xml.node("Error", |xml| {
                        xml.text("Type", if self.status < 500 { "Sender" } else { "Receiver" });
                        self.write(xml);
                    });
                    xml.text("RequestId", request_id);
                });
            }),
            Service::S3 => self.xml_reply(|xml| {
                xml.node("Error", |xml| {
                    self.write(xml);
                    xml.text("RequestId", request_id);
                });
            }),
            Service::Ssm | Service::ServiceQuotas => {
                let body = json!({"__type": self.code, "message": self.message});
                Reply::bytes(Bytes::from(body.to_string()))
                    .status(self.status)
                    .header("content-type", "application/x-amz-json-1.1")
            }
            Service::Ebs | Service::Marketplace => {
                let mut body = json!({"Message": self.message});
                if let Some(reason) = &self.reason {
                    body["Reason"] = json!(reason);
                }
                Reply::json(&body).status(self.status).header("x-amzn-errortype", &self.code)
            }
        }
    }

    fn write(&self, xml: &mut Xml) {
        xml.text("Code", &self.code);
        xml.text("Message", &self.message);
    }

    fn xml_reply(&self, write: impl FnOnce(&mut Xml)) -> Reply {
        let mut xml = Xml::new();
        write(&mut xml);
        Reply::xml(xml).status(self.status)
    }
}

fn leave_out_null(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            members.values_mut().for_each(leave_out_null);
        }
        Value::Array(items) => items.iter_mut().for_each(leave_out_null),
        _ => {}
    }
}
