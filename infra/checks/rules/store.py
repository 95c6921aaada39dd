"""The store: who sees it, what keeps it from being changed, when it ends."""

from __future__ import annotations

from rules.base import Json, change, edit, folder, properties, rule, statement, text
from stack import Resource, Stack, listed

FOLDERS = ("ledger", "lake")


def _buckets(stack: Stack) -> list[Resource]:
    return stack.of("S3::Bucket")


def _store(stack: Stack) -> list[Resource]:
    return stack.one("Store")


def _policy(stack: Stack) -> list[Resource]:
    return stack.one("StorePolicy")


def _policies(stack: Stack) -> list[Resource]:
    return stack.of("S3::BucketPolicy")


def _with(policy: Resource, sid: str) -> Json:
    entries = policy["PolicyDocument.Statement"]
    return next((entry for entry in entries if entry.get("Sid") == sid), {})


def _covers(entry: Json, bucket: str) -> bool:
    return set(listed(entry.get("Resource", []))) == {f"arn:aws:s3:::{bucket}/*/{folder}/*" for folder in FOLDERS}


@rule("S01", "an object that was overwritten by mistake can be brought back", _buckets,
      change("Store", "VersioningConfiguration.Status", "Suspended"))
def versions(bucket: Resource) -> str | None:
    return None if bucket["VersioningConfiguration.Status"] == "Enabled" else "keeps no versions"


@rule("S02", "a write that names no key must get the customer's", _buckets,
      change("Results", "BucketEncryption.ServerSideEncryptionConfiguration.0.ServerSideEncryptionByDefault.KMSMasterKeyID", "alias/aws/s3"))
def encryption(bucket: Resource) -> str | None:
    rules = bucket["BucketEncryption.ServerSideEncryptionConfiguration"] or [{}]
    wanted = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": bucket.stack.arn("Key")}
    return None if rules[0].get("ServerSideEncryptionByDefault") == wanted else "is not encrypted with our key"


@rule("S03", "one request to KMS per object would cost more than the objects", _buckets,
      change("Store", "BucketEncryption.ServerSideEncryptionConfiguration.0.BucketKeyEnabled", False))
def bucket_key(bucket: Resource) -> str | None:
    rules = bucket["BucketEncryption.ServerSideEncryptionConfiguration"] or [{}]
    return None if rules[0].get("BucketKeyEnabled") is True else "asks KMS for every object"


@rule("S04", "no mistake in a policy may open the store to the world", _buckets,
      change("Store", "PublicAccessBlockConfiguration.RestrictPublicBuckets", False))
def public(bucket: Resource) -> str | None:
    block = bucket["PublicAccessBlockConfiguration"] or {}
    return None if len(block) == 4 and all(value is True for value in block.values()) else "can be made public"


@rule("S05", "access lists would be a second way to give rights away", _buckets,
      change("Store", "OwnershipControls.Rules.0.ObjectOwnership", "ObjectWriter"))
def ownership(bucket: Resource) -> str | None:
    rules = bucket["OwnershipControls.Rules"] or [{}]
    return None if rules[0].get("ObjectOwnership") == "BucketOwnerEnforced" else "takes access lists"


@rule("S06", "keys and records travel encrypted", _policies, edit("StorePolicy", "OnlyTls", Condition=None))
def tls(policy: Resource) -> str | None:
    entry = _with(policy, "OnlyTls")
    bucket = policy["Bucket"]
    is_all = set(listed(entry.get("Resource", []))) == {f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"}
    is_all = is_all and entry.get("Action") == "s3:*" and entry["Effect"] == "Deny" and entry["Principal"] == "*"
    is_plain = entry.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}}
    return None if is_all and is_plain else "lets plain HTTP through"


@rule("S07", "TLS before 1.2 is broken", _policy,
      edit("StorePolicy", "OnlyTls12", Condition={"NumericLessThan": {"s3:TlsVersion": "1.0"}}))
def tls_version(policy: Resource) -> str | None:
    condition = _with(policy, "OnlyTls12").get("Condition")
    return None if condition == {"NumericLessThan": {"s3:TlsVersion": "1.2"}} else "lets old TLS through"


@rule("S08", "S3 creates over a delete marker, so that deleting a number of the ledger gives it to two owners", _policy,
      lambda it: statement(it, "StorePolicy", "NobodyDeletes")["Action"].remove("s3:DeleteObjectVersion"))
def deletes(policy: Resource) -> str | None:
    entry = _with(policy, "NobodyDeletes")
    denied = {"s3:BypassGovernanceRetention", "s3:DeleteObject", "s3:DeleteObjectVersion"}
    is_all = denied <= set(entry.get("Action", [])) and _covers(entry, policy["Bucket"])
    is_all = is_all and entry["Effect"] == "Deny" and entry["Principal"] == "*" and "Condition" not in entry
    return None if is_all else "lets somebody delete"


@rule("S09", "owning the next number of the ledger is owning the right to send; a replaced object breaks that", _policy,
      edit("StorePolicy", "OnlyCreates", Action="s3:PutObjectAcl"))
def creates(policy: Resource) -> str | None:
    entry = _with(policy, "OnlyCreates")
    is_all = entry.get("Action") == "s3:PutObject" and _covers(entry, policy["Bucket"])
    is_all = is_all and entry["Effect"] == "Deny" and entry["Principal"] == "*"
    is_asked = entry.get("Condition", {}).get("Null") == {"s3:if-none-match": "true"}
    return None if is_all and is_asked else "lets objects be replaced"


@rule("S10", "the parts of a multipart upload cannot bear the header; only their completion can", _policy,
      lambda it: statement(it, "StorePolicy", "OnlyCreates")["Condition"].pop("Bool"))
def multipart(policy: Resource) -> str | None:
    condition = _with(policy, "OnlyCreates").get("Condition", {})
    return None if condition.get("Bool") == {"s3:ObjectCreationOperation": "true"} else "refuses large objects"


@rule("S11", "with another key the object is lost to the customer's key and to its end", _policy,
      edit("StorePolicy", "OnlyOurKey", Condition={"StringNotEquals": {"s3:x-amz-server-side-encryption-aws-kms-key-id": "x"}}))
def our_key(policy: Resource) -> str | None:
    entry = _with(policy, "OnlyOurKey")
    name = "s3:x-amz-server-side-encryption-aws-kms-key-id"
    wanted = {"Null": {name: "false"}, "StringNotEquals": {name: policy.stack.arn("Key")}}
    folder = f"arn:aws:s3:::{policy['Bucket']}/{policy.stack.value('Customer')}/*"
    is_all = entry.get("Condition") == wanted and entry["Resource"] == folder and entry["Action"] == "s3:PutObject"
    return None if is_all else "takes objects under other keys"


@rule("S12", "S3's own key would let every reader of the bucket read", _policy,
      edit("StorePolicy", "OnlyKms", Resource=folder("lake")))
def only_kms(policy: Resource) -> str | None:
    entry = _with(policy, "OnlyKms")
    name = "s3:x-amz-server-side-encryption"
    wanted = {"Null": {name: "false"}, "StringNotEquals": {name: "aws:kms"}}
    is_all = entry.get("Condition") == wanted and entry["Resource"] == f"arn:aws:s3:::{policy['Bucket']}/*"
    return None if is_all else "takes objects without KMS"


@rule("S13", "a bucket policy that gives rights away is a second place to look for them", _policies,
      lambda it: properties(it, "ResultsPolicy")["PolicyDocument"]["Statement"].append(
          {"Sid": "Open", "Effect": "Allow", "Principal": {"AWS": {"Ref": "AWS::AccountId"}}, "Action": "s3:GetObject", "Resource": folder("lake")}))
def only_denies(policy: Resource) -> str | None:
    allowed = [entry for entry in policy["PolicyDocument.Statement"] if entry["Effect"] != "Deny"]
    return f"allows in {[entry.get('Sid') for entry in allowed]}" if allowed else None


def _lifecycle(bucket: Resource) -> list[Json]:
    return [it for it in bucket["LifecycleConfiguration.Rules"] or [] if it["Status"] == "Enabled"]


@rule("S14", "personal data has an end, in every folder", _buckets,
      change("Store", "LifecycleConfiguration.Rules.0.Prefix", "main/lake/"))
def ends(bucket: Resource) -> str | None:
    everywhere = [it for it in _lifecycle(bucket) if "Prefix" not in it and it.get("ExpirationInDays")]
    return None if everywhere else "keeps something for ever"


@rule("S15", "without versions expiring too, nothing ends in a bucket with versions", _buckets,
      change("Results", "LifecycleConfiguration.Rules.0.NoncurrentVersionExpiration", None))
def versions_end(bucket: Resource) -> str | None:
    kept = [it["Id"] for it in _lifecycle(bucket) if it.get("ExpirationInDays") and "NoncurrentVersionExpiration" not in it]
    return f"keeps old versions in {kept}" if kept else None


@rule("S16", "parts of an upload that was given up are stored and paid for, and no listing shows them", _buckets,
      change("Store", "LifecycleConfiguration.Rules.0.AbortIncompleteMultipartUpload", None))
def uploads_end(bucket: Resource) -> str | None:
    return None if any("AbortIncompleteMultipartUpload" in it for it in _lifecycle(bucket)) else "keeps parts of uploads"


@rule("S17", "what could not be read may hold anything", _store,
      change("Store", "LifecycleConfiguration.Rules.1.ExpirationInDays", 181))
def quarantine(bucket: Resource) -> str | None:
    folder = f"{bucket.stack.value('Customer')}/{bucket.stack.value('Migration')}/quarantine/"
    days = [it["ExpirationInDays"] for it in _lifecycle(bucket) if it.get("Prefix") == folder]
    return None if days and days[0] <= bucket.stack.value("StoreDays") else "keeps quarantine as long as the rest"


@rule("S18", "taking the stack down must not take the rollback with it", _buckets,
      lambda it: it["Resources"]["Store"].pop("DeletionPolicy"))
def kept(bucket: Resource) -> str | None:
    return None if bucket.attributes.get("DeletionPolicy") == "Retain" else "goes with the stack"


@rule("S19", "a bucket that is kept without its policy is kept open", _policies,
      lambda it: it["Resources"]["StorePolicy"].pop("DeletionPolicy"))
def policy_kept(policy: Resource) -> str | None:
    return None if policy.attributes.get("DeletionPolicy") == "Retain" else "goes before its bucket"


@rule("S20", "Object Lock is off, governance or compliance, as asked", _store,
      change("Store", "ObjectLockConfiguration", None))
def lock(bucket: Resource) -> str | None:
    for asked, mode in (("governance", "GOVERNANCE"), ("compliance", "COMPLIANCE")):
        locked = bucket.stack.with_parameters(ObjectLock=asked, ObjectLockDays=90).resources[bucket.name]
        if locked["ObjectLockConfiguration.Rule.DefaultRetention"] != {"Mode": mode, "Days": 90}:
            return f"does not lock with {asked}"
    return "locks unasked" if bucket["ObjectLockConfiguration"] else None


@rule("S21", "Object Lock can be switched on at the creation of a bucket only", _store,
      change("Store", "ObjectLockEnabled", None))
def lock_enabled(bucket: Resource) -> str | None:
    locked = bucket.stack.with_parameters(ObjectLock="governance").resources[bucket.name]
    return None if locked["ObjectLockEnabled"] is True else "cannot lock"


@rule("S22", "records stay in the region that was agreed", _buckets,
      change("Store", "ReplicationConfiguration", {"Role": "x", "Rules": []}))
def replication(bucket: Resource) -> str | None:
    return "is copied elsewhere" if bucket["ReplicationConfiguration"] else None


@rule("S23", "a store is no web site", _buckets, change("Results", "WebsiteConfiguration", {"IndexDocument": "index.html"}))
def website(bucket: Resource) -> str | None:
    return "is a web site" if bucket["WebsiteConfiguration"] or bucket["CorsConfiguration"] else None


@rule("S24", "the key's policy knows the bucket by this name, and a second deployment must meet the kept one", _store,
      change("Store", "BucketName", text("${AWS::StackName}-other")))
def name(bucket: Resource) -> str | None:
    wanted = f"deskferry-{bucket.stack.value('Customer')}-111122223333-eu-west-1"
    return None if bucket["BucketName"] == wanted else "has a name that the key does not know"


@rule("S25", "every bucket has its wall", _buckets, lambda it: it["Resources"].pop("ResultsPolicy"))
def has_policy(bucket: Resource) -> str | None:
    walled = {policy["Bucket"] for policy in _policies(bucket.stack)}
    return None if bucket["BucketName"] in walled else "has no policy"


@rule("S26", "a shared bucket belongs to the stack that made it", lambda it: [it],
      lambda it: it["Resources"]["StorePolicy"].pop("Condition"))
def shared(stack: Stack) -> str | None:
    other = stack.with_parameters(StoreBucketName="elsewhere")
    touching = [it.name for it in other.resources.values() if it.name in ("Store", "StorePolicy")]
    return f"makes {touching} beside a shared bucket" if touching else None


@rule("S27", "removing a store for good must be possible, as a change that the stack's history shows", _policy,
      lambda it: it["Conditions"].update(IsSealed={"Fn::Equals": ["a", "a"]}))
def unsealed(policy: Resource) -> str | None:
    other = policy.stack.with_parameters(StoreSealed="false").resources[policy.name]
    return "can never be removed" if _with(other, "NobodyDeletes") else None
