//! Amazon's load balancers and S3. The remark of an ALB is its `error_reason` (`AuthInvalidCookie` ...):
//! <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-access-logs.html>,
//! <https://docs.aws.amazon.com/elasticloadbalancing/latest/classic/access-log-collection.html>,
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/LogFormat.html>.

use super::Text;
use crate::logs::line::Escape;

pub(super) const ALB: Text = Text {
    product: "aws-alb",
    layouts: &[
        r#"{scheme} {time} {} {client:port} {} {} {} {} {status} {} {} {bytes} "{request}" "{agent}" {} {} {} "{}" "{}" "{}" {} {} "{}" "{}" "{remark}" "#,
        r#"{scheme} {time} {} {client:port} {} {} {} {} {status} {} {} {bytes} "{request}" "{agent}" {}"#,
    ],
    escape: Escape::Backslash,
    loose: false,
};

pub(super) const ELB: Text = Text {
    product: "aws-elb",
    layouts: &[
        r#"{time} {} {client:port} {} {} {} {} {status} {} {} {bytes} "{request}" "{agent}" {}"#,
        r#"{time} {} {client:port} {} {} {} {} {status} {} {} {bytes} "{request}""#,
    ],
    escape: Escape::Backslash,
    loose: false,
};

pub(super) const S3: Text = Text {
    product: "aws-s3",
    layouts: &[
        r#"{} {} [{time}] {client} {user} {} {} {} "{request}" {status} {remark} {bytes} {} {} {} "{referer}" "{agent}" {}"#,
        r#"{} {} [{time}] {client} {user} {} {} {} "{request}" {status} {remark} {bytes} {} {} {} "{referer}" "{agent}""#,
    ],
    escape: Escape::None,
    loose: false,
};
